/** What limits are about: things and money, in whole numbers, or names that a call must keep to. Pure. */

/** How a value is read by people, and typed by them. */
type Form<Value> = Readonly<{
  /** For people: "3 shirts", "$25.00", "example.com or example.org". */
  reads: (value: Value) => string;
  /** What stands before and after a blank. */
  before?: string;
  after?: string;
  /** Characters a blank has room for, and the keyboard that a phone shows. */
  size: number;
  keyboard: 'numeric' | 'decimal' | 'text';
  /** As it stands in a blank. */
  write: (value: Value) => string;
}>;

/** Amounts are whole numbers, of money in its smallest coin. */
export type Counted = Form<number> &
  Readonly<{
    /** Undefined for what is no amount. */
    read: (typed: string) => number | undefined;
    /** What to type instead. */
    ask: (min: number, max: number) => string;
  }>;

/** Names a human writes, such as the domains that mails may go to. */
export type Named = Form<readonly string[]> &
  Readonly<{
    names: true;
    /** Undefined when one of them is no such name. */
    read: (typed: string) => string[] | undefined;
    ask: (max: number) => string;
  }>;

export type Unit = Counted | Named;

export function isNamed(unit: Unit): unit is Named {
  return 'names' in unit;
}

/** "a mail", "an order". */
export function withArticle(noun: string): string {
  return `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** Made once, because making one takes longer than the rest of a refusal's words. */
const GROUPED = new Intl.NumberFormat('en');

/** Things, such as `things('shirt', 'shirts')`. */
export function things(one: string, many: string): Counted {
  return {
    reads: (amount) => (amount === 1 ? `1 ${one}` : `${GROUPED.format(amount)} ${many}`),
    after: ` ${many}`,
    size: 4,
    keyboard: 'numeric',
    write: String,
    read: (typed) => (/^\d{1,9}$/.test(typed) ? Number(typed) : undefined),
    ask: (min, max) => `Enter a whole number from ${min} to ${max}.`,
  };
}

/** Money of a currency with two decimals, such as `money('USD', 'US dollars', '$')`. */
export function money(currency: string, name: string, sign: string): Counted {
  // Kept, because making one takes far longer than using it.
  const format = new Intl.NumberFormat('en-US', { style: 'currency', currency });
  return {
    reads: (cents) => format.format(cents / 100),
    before: sign,
    size: 9,
    keyboard: 'decimal',
    write: (cents) => (cents / 100).toFixed(2),
    read: (typed) => {
      const text = typed.startsWith(sign) ? typed.slice(sign.length) : typed;
      return /^\d{1,9}(\.\d{1,2})?$/.test(text) ? Math.round(Number(text) * 100) : undefined;
    },
    ask: (min, max) =>
      `Enter an amount in ${name} from ${(min / 100).toFixed(2)} to ${(max / 100).toFixed(2)}, such as 100 or 99.50.`,
  };
}

/** Names of a pattern, such as `names('domain', 'domains', /^[a-z0-9.-]+$/, 'example.com')`. Compared in lower case. */
export function names(one: string, many: string, pattern: RegExp, example: string): Named {
  const list = new Intl.ListFormat('en', { type: 'disjunction' });
  return {
    names: true,
    reads: (values) => list.format(values),
    size: 30,
    keyboard: 'text',
    write: (values) => values.join(', '),
    read: (typed) => {
      const values = [
        ...new Set(
          typed
            .toLowerCase()
            .split(/[\s,]+/)
            .filter(Boolean),
        ),
      ];
      // Not `test`, which goes on where it was when the pattern has the flag g.
      return values.length > 0 && values.every((value) => value.search(pattern) !== -1) ? values : undefined;
    },
    ask: (max) => `Enter ${withArticle(one)}, or up to ${max} ${many} with commas between them, such as ${example}.`,
  };
}
