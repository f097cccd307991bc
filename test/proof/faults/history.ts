/** What the people outside saw: each call and each act of the human, when it was sent, and what was answered, if anything. */

/** The moments of a history are counted, not measured: one number for each thing that happens outside. */
export type Span = { sent: number; answered: number };

/** A purchase as a client means it. No other has the same words: each has a company, or a key, of its own. */
export type Intent = {
  company: string;
  mailingAddress: string;
  tshirtSize: string;
  color: string;
  quantity: number;
  idempotencyKey?: string;
};

export type SeenOrder = {
  id: string;
  number: number;
  company: string;
  quantity: number;
  total: number;
  status: string;
};

/** `ended` is a 401, `turned away` a 429: not carried out, and no line. `waiting` is the order that waits for the human. `unknown` has no answer, or one that says that nobody knows. `odd` is an answer that must not be. */
export type Outcome =
  | { kind: 'allowed'; order?: SeenOrder }
  | { kind: 'refused'; code: string; waiting?: string }
  | { kind: 'ended' }
  | { kind: 'turned away' }
  | { kind: 'unknown' }
  | { kind: 'odd'; answer: string };

export type Call = Span & {
  /** The name of the client, which the record holds too. */
  client: string;
  tool: string;
  intent?: Intent;
  /** What is to be cancelled. */
  orderId?: string;
  /** The lowest and the highest time that the clock showed between the two, in milliseconds. */
  clock: { low: number; high: number };
  outcome: Outcome;
};

/** `done` was answered as done, `none` as not done; of `unknown` nobody knows. */
export type HumanAct = Span & {
  act:
    | 'pause'
    | 'resume'
    | 'pauseOne'
    | 'resumeOne'
    | 'amend'
    | 'ceiling'
    | 'dismiss'
    | 'appoint'
    | 'approve'
    | 'deny'
    | 'endAllowance'
    | 'addPasskey'
    | 'removePasskey';
  /** The client it is about. */
  client?: string;
  /** The order that was asked for, of that client. */
  effectId?: string;
  /** The lowest time that the clock showed meanwhile, in milliseconds. */
  clock?: number;
  /** When the page with the button came; undefined for what was pressed on none. */
  shown?: number;
  /** The line that a pause's answer names, or that of the yes whose allowance is ended. */
  sequence?: number;
  outcome: 'done' | 'none' | 'unknown';
};

export type History = {
  calls: Call[];
  acts: HumanAct[];
  storageFailures: number;
  /** When the human signed in, in milliseconds. */
  signIns: number[];
};

/** What is found when everything has calmed down: the record as anybody can download it, the tables, and KV. */
export type Remains = {
  /** Whose it is, as WorkOS knows them, and the key under which the record holds arguments. */
  userId: string;
  secret: string;
  /** JSON lines, the head last. */
  record: string;
  orders: OrderRow[];
  copies: Record<string, unknown>[];
  /** Orders that still wait for KV. */
  undelivered: number;
  /** Questions that wait for the human, by the order: until when, in milliseconds. */
  questions: Map<string, number>;
  /** What the human has allowed in advance, by the line of the yes. */
  allowances: Map<number, { deputy: string; count: number }>;
  passkeys: Map<string, { usableAt: number; counter: number }>;
  authority: string;
  ceiling: { shirtsPerDay: number; spendPerDay: number };
  deputies: { id: string; status: string; mandate: unknown }[];
  /** What the ledger counts, of each deputy and of all of them together. */
  used: { own: Map<string, Windows>; all: Windows };
  /** What the shop itself says of its record. */
  verified: { ok: boolean; problem?: string };
};

/** A row of the ledger's effects, as the shop means it. */
export type OrderRow = {
  number: number;
  id: string;
  /** The line that placed it. */
  line: number;
  /** When it was placed, in milliseconds. */
  at: number;
  deputy: string;
  state: string;
  amounts: { shirts: number; spend: number };
  company: string;
  mailingAddress: string;
  tshirtSize: string;
  color: string;
  unitPrice: number;
};

/** By span and unit: the number of a step since the epoch, and what was used in it. */
export type Windows = Record<string, Record<string, [step: number, amount: number][]>>;
