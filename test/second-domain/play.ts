/** What the stories need to know of a domain: its tools, what to type, and what goes beyond each limit. */

export type Play = {
  /** As the pages name it. */
  name: string;
  meteredPower: string;
  /** A tool that only reads, with the base power. */
  reads: string;
  /** A metered call that fresh limits allow, and the key argument's name aside, what it takes. */
  act: { tool: string; args: Record<string, unknown> };
  /** The same for each other metered tool of the domain. */
  others?: { tool: string; args: Record<string, unknown> }[];
  /** The same call with other arguments, for a key that is used twice. */
  other: Record<string, unknown>;
  /** What each limit refuses: its name, what the human types, the arguments, and the code. */
  over: { limit: string; blanks: Record<string, string>; args: Record<string, unknown>; code: string }[];
  /** What the human must be asked about, where a limit asks: what they type, the arguments, and how its page calls it and what was sent. */
  asking?: { blanks: Record<string, string>; args: Record<string, unknown>; pageSays: RegExp };
  /** A limit of a day, as typed, that allows so many of `act`, and a ceiling that does. */
  day: { blanks: Record<string, string>; allows: number };
  ceiling: Record<string, number>;
  /** A blank that a human fills in wrongly, and what the page says. */
  mistyped: { blanks: Record<string, string>; problem: RegExp };
  /** What the consent page, the list of effects and the record say. */
  consentSays: RegExp;
  listSays: RegExp;
  recordSays: RegExp;
};
