/** What is read from a column of JSON, the first time and later. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { JsonColumn } from '../../src/ledger/json-column.ts';

test('a text is always read as what it says, whatever was written or read before', () => {
  const column = new JsonColumn(z.object({ limit: z.int() }));
  const texts = Array.from({ length: 100 }, (_, limit) => column.write({ limit }));
  // More than it remembers, in both directions, and the same ones again.
  for (const text of [...texts, ...texts.toReversed(), '{ "limit": 5 }']) {
    expect(column.read(text)).toEqual(JSON.parse(text));
  }
});

test('a text of another shape is refused each time', () => {
  const column = new JsonColumn(z.object({ limit: z.int() }));
  for (let time = 0; time < 2; time += 1) {
    expect(() => column.read('{"limit":"many"}')).toThrow(/limit/);
    expect(() => column.read('no JSON')).toThrow(SyntaxError);
  }
});

test('what was read once is not parsed again', () => {
  let parsed = 0;
  const column = new JsonColumn(z.object({ limit: z.int() }).refine(() => (parsed += 1) > 0));
  const written = column.write({ limit: 1 });
  column.read(written);
  expect(parsed).toBe(0);
  column.read('{"limit":2}');
  column.read('{"limit":2}');
  expect(parsed).toBe(1);
});
