/** Hostile values: what goes into any field, header, path or body of a request. */
import * as fc from 'fast-check';

/** A tag that no page of ours has: in an answer it must never stand as markup. */
export const MARK = 'fuzz-mark';
/** A header that no answer of ours has. */
export const MARK_HEADER = 'x-fuzz-mark';
/** A host that nobody may be sent to. */
export const FOREIGN_HOST = 'evil.example';

/** Names that every object has, and what looks like a column, a path, a template or another kind of value. */
const NASTY = [
  '',
  ' ',
  '\u0000',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'prototype',
  '\ud800',
  '\u202eevil',
  '\ufeff',
  '\u2028',
  "' OR 1=1 --",
  '"; DROP TABLE orders; --',
  `<${MARK} onload=1>`,
  `"><${MARK}>`,
  `'><${MARK}>`,
  `</script><${MARK}>`,
  `\r\n${MARK_HEADER}: 1`,
  `%0d%0a${MARK_HEADER}:%201`,
  '${7*7}',
  '{{7*7}}',
  '../../etc/passwd',
  '%00',
  '%ff',
  '%',
  'NaN',
  'null',
  'undefined',
  'true',
  '-0',
  '0x10',
  '1e999',
  '9007199254740993',
  '[object Object]',
  'javascript:alert(1)',
  `https://${FOREIGN_HOST}/`,
  `//${FOREIGN_HOST}`,
  `/\\${FOREIGN_HOST}`,
  `/.//${FOREIGN_HOST}`,
  `http:${FOREIGN_HOST}`,
  `\t//${FOREIGN_HOST}`,
  'a'.repeat(5000),
  '👋'.repeat(60),
  'e\u0301'.repeat(300),
] as const;

/** Longer than a name, than a key of KV, than a cookie. */
const LONG = [101, 505, 506, 512, 513, 600, 4097].map((length) => 'x'.repeat(length));

export const nasty = fc.constantFrom(...NASTY);
export const text = fc.oneof(
  { weight: 4, arbitrary: nasty },
  { weight: 1, arbitrary: fc.constantFrom(...LONG) },
  { weight: 2, arbitrary: fc.string({ maxLength: 30 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
);

const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -1, 0.5, 1e21, 2 ** 53, -(2 ** 53), 1e308, 2 ** 31, 100_000),
);

/** Any value that JSON can hold, with the names that objects have anyway among its keys. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: text },
  { weight: 2, arbitrary: number },
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 3 }),
  fc.array(fc.oneof(text, number), { maxLength: 5 }),
  fc.dictionary(fc.oneof(nasty, fc.string({ maxLength: 8 })), fc.oneof(text, number), { maxKeys: 5 }),
);

/** `valid` most of the time, so that what is behind the first check is reached too. */
export function mostly<Value>(valid: Value | readonly Value[], weight = 3): fc.Arbitrary<unknown> {
  const values = Array.isArray(valid) ? (valid as readonly Value[]) : [valid as Value];
  return fc.oneof({ weight, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: anything });
}

/** Text of a field: one of those values most of the time. */
export function mostlyText(valid: string | readonly string[], weight = 3): fc.Arbitrary<string> {
  const values = typeof valid === 'string' ? [valid] : valid;
  return fc.oneof({ weight, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: text });
}

/** What HTTP can carry in a header: Latin-1 without control characters. */
export const headerValue = fc
  .oneof(text, fc.string({ maxLength: 60 }), fc.constantFrom('x'.repeat(4000), 'é'.repeat(50), '=?utf-8?B?w6k=?='))
  .map((value) => value.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?'));

/**
 * Fields of a query or a form, each with values that are right. Few at a time are spoilt, missing or there twice, so that
 * what is behind the other checks is reached too.
 */
export function fields(known: Record<string, string | readonly string[]>): fc.Arbitrary<string> {
  const names = Object.keys(known);
  const right = Object.entries(known).map(([name, values]) =>
    fc.constantFrom(...[values].flat()).map((value): [string, string] => [name, value]),
  );
  const spoilt = fc.array(
    fc.tuple(fc.nat(names.length - 1), text, fc.constantFrom('instead', 'instead', 'missing', 'twice')),
    { maxLength: 3 },
  );
  const more = fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(fc.tuple(text, text), { maxLength: 2 }));
  return fc.tuple(fc.tuple(...right), spoilt, more).map(([pairs, changes, extra]) => {
    const all = pairs.map((pair) => [pair]);
    for (const [index, value, how] of changes) {
      const name = names[index] ?? '';
      if (how === 'instead') all[index] = [[name, value]];
      else if (how === 'missing') all[index] = [];
      else all[index]?.push([name, value]);
    }
    return [...all.flat(), ...extra].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');
  });
}

/** Percent-encoded, but for what stands for a secret of the run, and for a lone surrogate, which cannot be. */
export function encoded(value: string): string {
  const parts = value.toWellFormed().split(/(⟦[\w.:]+⟧)/);
  return parts.map((part, index) => (index % 2 === 1 ? part : encodeURIComponent(part))).join('');
}
