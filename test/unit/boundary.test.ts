/** What the boundary does about a tool that does not keep to its shape: it answers, records, and lets nothing of it stand. */
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import { z } from 'zod';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { verify } from '../../src/ledger/verify.ts';
import { shop } from '../../src/shop/index.ts';
import { type AnyTool, type Desk, defineTool } from '../../src/tools/define-tool.ts';
import { line, strict } from '../../src/tools/fields.ts';
import { callerOf, employ, inLedger, serve } from '../support/ledger.ts';

let logged: MockInstance<typeof console.error>;
beforeEach(() => {
  logged = vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

const note = z.object({ note: z.string() });
const AMOUNTS = { shirts: 2, spend: 5000 };

const shape = {
  name: 'actUp',
  title: 'Act up',
  description: 'Does what it should not.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  scope: 'shop:buy',
  input: strict({ key: line('A key.', 10).optional() }),
  output: z.object({ done: z.literal(true) }),
};
const answer = { text: 'Go on.', data: { done: true as const } };

type Work = (desk: Desk) => void;

function metered(work: Work, { again = () => {}, uses = AMOUNTS }: { again?: Work; uses?: object } = {}): AnyTool {
  return defineTool({
    ...shape,
    meter: {
      uses: () => uses as typeof AMOUNTS,
      idempotency: ({ key }) => ({ key, arguments: {} }),
      again(_, desk) {
        again(desk);
        return answer;
      },
    },
    run(_, desk) {
      work(desk);
      return answer;
    },
  });
}

function unmetered(work: Work): AnyTool {
  return defineTool({
    ...shape,
    run(_, desk) {
      work(desk);
      return answer;
    },
  });
}

function make({ effects }: Desk, data: object = { note: 'a' }) {
  return effects(note).make('made', data as z.infer<typeof note>);
}

/** Changes the effect that `act` has left in the ledger before. */
function changeFirst({ effects }: Desk): void {
  const book = effects(note);
  const [first] = book.page(100).effects.toReversed();
  if (first) book.change(first, 'changed');
}

function call(ledger: Ledger, tool: AnyTool, args = {}) {
  return serve(ledger, callerOf('dep_1'), tool.name, args, { ...shop, tools: [tool] });
}

/** All that a call can leave, but for the record and the count of calls. */
function leftIn({ sql, demo, account }: Ledger) {
  return {
    effects: sql.exec('SELECT * FROM effects').toArray(),
    outbox: sql.exec('SELECT * FROM outbox').toArray(),
    keys: sql.exec('SELECT * FROM idempotency').toArray(),
    demo: demo.read(),
    account: account.read(),
  };
}

const FAULTS: [string, AnyTool, RegExp][] = [
  ['is metered, and makes no effect', metered(() => {}), /did not make an effect/],
  [
    'makes two effects',
    metered((desk) => {
      make(desk);
      make(desk);
    }),
    /one effect at most/,
  ],
  [
    'makes one effect and changes another',
    metered((desk) => {
      make(desk);
      changeFirst(desk);
    }),
    /one effect at most/,
  ],
  ['is metered, and changes an effect instead of making one', metered(changeFirst), /did not make an effect/],
  ['is not metered, and makes an effect', unmetered(make), /only a metered call makes an effect/],
  [
    'makes an effect and fails',
    metered((desk) => {
      make(desk);
      throw new Error('out of paper');
    }),
    /out of paper/,
  ],
  [
    'changes an effect and fails',
    unmetered((desk) => {
      changeFirst(desk);
      throw new Error('out of ink');
    }),
    /out of ink/,
  ],
  ['makes an effect of another shape', metered((desk) => void make(desk, { note: 5 })), /note/],
  [
    'answers in another shape than it announced',
    defineTool({
      ...shape,
      meter: { uses: () => AMOUNTS },
      run(_, desk) {
        make(desk);
        return { text: 'Go on.', data: { done: false } as never };
      },
    }),
    /done/,
  ],
  ['does not say all that it uses', metered(make, { uses: { shirts: 1 } }), /must state its spend/],
  ['uses less than nothing', metered(make, { uses: { shirts: -1, spend: 0 } }), /must state its shirts/],
  ['uses a part of a thing', metered(make, { uses: { shirts: 0.5, spend: 0 } }), /must state its shirts/],
  ['uses what is no unit', metered(make, { uses: { ...AMOUNTS, hats: 1 } }), /hats, which is no unit/],
];

test.each(FAULTS)('a tool that %s fails as an internal error, and leaves nothing behind', (_, tool, fault) =>
  inLedger(async (ledger) => {
    employ(ledger, 'dep_1');
    expect(await call(ledger, metered(make))).toMatchObject({ allowed: true });
    const before = leftIn(ledger);
    const head = ledger.record.head();

    expect(await call(ledger, tool, tool.metered ? { key: 'one' } : {})).toEqual({
      allowed: false,
      code: 'internal_error',
      data: {},
    });

    expect(leftIn(ledger)).toEqual(before);
    const lines = ledger.record.lines(head.sequence, 9);
    expect(lines).toMatchObject([{ tool: 'actUp', decision: 'refused', code: 'internal_error' }]);
    expect(lines[0]).not.toHaveProperty('effect');
    expect(ledger.meters.read('dep_1').windows['minute']?.['calls']?.reduce((sum, [, count]) => sum + count, 0)).toBe(
      2,
    );
    expect(verify(ledger)).toMatchObject({ ok: true });
    // The operator finds what it was; the model does not.
    expect(JSON.stringify(logged.mock.calls)).toMatch(fault);
    // The next one is not in its way, and has the next number.
    expect(await call(ledger, metered(make), { key: 'one' })).toMatchObject({ allowed: true });
    expect(ledger.effects.newest(9).map(({ number }) => number)).toEqual([2, 1]);
  }),
);

test('a refused metered call says what it would have used, a broken one included', () =>
  inLedger(async (ledger) => {
    employ(ledger, 'dep_1');
    await call(
      ledger,
      metered(() => {}),
    );
    await call(ledger, metered(make, { uses: { shirts: 6, spend: 15_000 } }));
    await call(ledger, metered(make, { uses: { hats: 1 } }));
    const lines = ledger.record.lines(3, 9);
    expect(lines).toMatchObject([
      { code: 'internal_error', asked: AMOUNTS },
      { code: 'act_limit', limit: 'shirtsPerOrder', most: 5, asked: { shirts: 6, spend: 15_000 } },
      { code: 'internal_error' },
    ]);
    expect(lines[2]).not.toHaveProperty('asked');
  }));

test('a tool that catches its own second effect has made one', () =>
  inLedger(async (ledger) => {
    employ(ledger, 'dep_1');
    const stubborn = metered((desk) => {
      make(desk);
      expect(() => make(desk)).toThrow('one effect at most');
      expect(() => changeFirst(desk)).toThrow('one effect at most');
    });
    expect(await call(ledger, stubborn)).toMatchObject({ allowed: true });
    expect(ledger.effects.newest(9)).toMatchObject([{ number: 1, state: 'made', amounts: AMOUNTS }]);
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));

test('a repetition that changes an effect fails, and the effect stays', () =>
  inLedger(async (ledger) => {
    employ(ledger, 'dep_1');
    const tool = metered(make, { again: changeFirst });
    expect(await call(ledger, tool, { key: 'one' })).toMatchObject({ allowed: true });
    const before = leftIn(ledger);
    expect(await call(ledger, tool, { key: 'one' })).toMatchObject({ allowed: false, code: 'internal_error' });
    const again = metered(make, { again: make });
    expect(await call(ledger, again, { key: 'one' })).toMatchObject({ allowed: false, code: 'internal_error' });
    expect(leftIn(ledger)).toEqual(before);
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));

test('a desk that is kept is of no use once its call is over', () =>
  inLedger(async (ledger) => {
    employ(ledger, 'dep_1');
    const kept: Desk[] = [];
    expect(await call(ledger, metered(make))).toMatchObject({ allowed: true });
    expect(
      await call(
        ledger,
        unmetered((desk) => void kept.push(desk)),
      ),
    ).toMatchObject({ allowed: true });
    for (const desk of kept) {
      expect(() => make(desk)).toThrow('only a metered call');
      expect(() => changeFirst(desk)).toThrow('the call is over');
    }
    expect(kept).toHaveLength(1);
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));

test('what a tool writes over its copy of an effect is not recorded', () =>
  inLedger(async (ledger) => {
    employ(ledger, 'dep_1');
    const forger = metered((desk) => void Object.assign(make(desk).amounts, { shirts: 0, spend: 0 }));
    expect(await call(ledger, forger)).toMatchObject({ allowed: true });
    expect(ledger.record.lines(3, 9)).toMatchObject([{ effect: { number: 1, amounts: AMOUNTS } }]);
    expect(verify(ledger)).toMatchObject({ ok: true });
  }));
