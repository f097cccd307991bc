/** The record as downloaded: its lines, their chain of hashes, their numbers and their times. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Findings } from './findings.ts';

const mandate = z.object({
  version: z.int(),
  scopes: z.array(z.string()),
  limits: z.object({
    shirtsPerOrder: z.int(),
    shirtsPerDay: z.int(),
    spendPerDay: z.int(),
    askAbove: z.int(),
    callsPerMinute: z.int(),
    purchasesPerMinute: z.int(),
  }),
  approval: z.string().optional(),
  expiresAt: z.int(),
});
export type GrantedMandate = z.infer<typeof mandate>;

const base = z.object({ sequence: z.int(), at: z.iso.datetime(), previous: z.string() });
const amounts = z.strictObject({ shirts: z.int(), spend: z.int() });
const call = base.extend({
  actor: z.literal('deputy'),
  deputy: z.string(),
  tool: z.string(),
  decision: z.enum(['allowed', 'refused', 'asked']),
  code: z.string().optional(),
  limit: z.string().optional(),
  most: z.int().optional(),
  asked: amounts.optional(),
  mandateVersion: z.int().optional(),
  effect: z.object({ id: z.string(), number: z.int(), state: z.string(), amounts: amounts.optional() }).optional(),
  repeats: z.string().optional(),
  until: z.iso.datetime().optional(),
  grade: z.string().optional(),
  under: z.int().optional(),
  arguments: z.string().optional(),
  refusedBefore: z.int().optional(),
});
export type CallLine = z.infer<typeof call>;
const act = base.extend({
  actor: z.enum(['human', 'client', 'system']),
  act: z.string(),
  deputy: z.string().optional(),
  client: z.object({ unverifiedName: z.string() }).optional(),
  mandate: mandate.optional(),
  ceiling: z.object({ shirtsPerDay: z.int(), spendPerDay: z.int() }).optional(),
  refused: z.int().optional(),
  effect: z.object({ id: z.string(), number: z.int(), state: z.string() }).optional(),
  grade: z.string().optional(),
  mandateVersion: z.int().optional(),
  next: z.object({ count: z.int(), until: z.iso.datetime() }).optional(),
  proof: z
    .object({
      passkey: z.string(),
      counter: z.int(),
      clientDataJSON: z.string(),
      authenticatorData: z.string(),
      signature: z.string(),
    })
    .optional(),
  passkey: z.string().optional(),
  publicKey: z.string().optional(),
  counter: z.int().optional(),
  usable: z.iso.datetime().optional(),
  line: z.int().optional(),
  through: z.int().optional(),
  hash: z.string().optional(),
  checkpoint: z.string().optional(),
});
export type ActLine = z.infer<typeof act>;
export type Line = (CallLine | ActLine) & { time: number };

/** What a record that starts from nothing has for the hash of the line before the first. */
export const GENESIS = '0'.repeat(64);

const headLine = z.object({ head: z.object({ sequence: z.int(), hash: z.string() }) });

export function isCall(line: Line): line is CallLine & { time: number } {
  return line.actor === 'deputy';
}

/** How far a clock may be behind the newest line before an earlier one is said to have been ahead, in milliseconds. */
const CLOCK_TOLERANCE = 60_000;

/** Reads the lines. `latest` is the highest time that the clock ever showed: no line can be from later. */
export function readRecord(record: string, latest: number, findings: Findings): Line[] {
  const texts = record.trimEnd().split('\n');
  const { head } = headLine.parse(JSON.parse(texts.pop() ?? ''));
  const lines: Line[] = [];
  let previous = GENESIS;
  let time = 0;
  for (const text of texts) {
    const line = z.union([call, act]).parse(JSON.parse(text));
    const at = Date.parse(line.at);
    const expected = lines.length + 1;
    findings.expect(line.sequence === expected, () => `line ${expected} has the number ${line.sequence}`);
    findings.expect(line.previous === previous, () => `line ${line.sequence} does not hold the hash of the one before`);
    const isSetBack = line.actor !== 'deputy' && line.act === 'clock';
    findings.expect(
      isSetBack ? at < time - CLOCK_TOLERANCE : at >= time,
      () => `line ${line.sequence}: the ledger's time runs backwards, to ${line.at}`,
    );
    findings.expect(at <= latest, () => `line ${line.sequence}: ${line.at} is later than the clock ever was`);
    lines.push({ ...line, time: at });
    previous = createHash('sha256').update(text).digest('hex');
    time = at;
  }
  findings.expect(head.sequence === lines.length, () => `the head names line ${head.sequence} of ${lines.length}`);
  findings.expect(head.hash === previous, () => 'the head has another hash than the last line');
  return lines;
}
