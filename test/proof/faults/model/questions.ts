/** The rules of asking first, once more: who waits for a yes, how sure it must be, what it proves, and what it allows in advance. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';
import type { ActLine, CallLine } from './chain.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const QUESTION = 10 * MINUTE;
const MOST_QUESTIONS = 5;
const NEXT = 3;
/** From the weakest to the strongest. */
const GRADES = ['pressed', 'confirmed', 'device'];

type Amounts = { shirts: number; spend: number };
/** A question that waits: whose it is, how sure its yes must be, what it is about, and until when (milliseconds). */
type Waiting = { deputy: string; grade: string; sealed: string; amounts: Amounts; until: number };
type Allowed = { deputy: string; amounts: Amounts; version: number; count: number; until: number };
type Passkey = { publicKey: string; usableAt: number; counter: number };
type Timed = { time: number };
/** Notes what does not hold. */
type Holds = (rule: boolean, broken: string) => void;

export class Questions {
  readonly waiting = new Map<string, Waiting>();
  /** By the line of the yes. */
  readonly allowed = new Map<number, Allowed>();
  readonly passkeys = new Map<string, Passkey>();
  readonly #userId: string;
  /** When the last passkey that counted was taken away. */
  #lastRemoved = -Infinity;
  readonly #signatures = new Set<string>();
  /** By deputy and arguments: when it asked that last. */
  readonly #askedAt = new Map<string, number>();

  constructor(userId: string) {
    this.#userId = userId;
  }

  of(deputy: string): Waiting[] {
    return [...this.waiting.values()].filter((one) => one.deputy === deputy);
  }

  /** A call that leaves a question under that mandate. */
  asked(line: CallLine & Timed, amounts: Amounts, approval: string | undefined, holds: Holds): void {
    const { deputy, time, effect, grade = '', arguments: sealed = '' } = line;
    const mine = this.of(deputy);
    holds(mine.length < MOST_QUESTIONS, `while ${mine.length} questions waited`);
    const until = Date.parse(line.until ?? '');
    holds(until === time + QUESTION, `and waits until ${line.until}`);
    this.#isNew(line, holds);
    this.#askedAt.set(`${deputy} ${sealed}`, time);
    const needed = approval ?? (this.#hadPasskey(time) ? 'device' : 'confirmed');
    holds(grade === needed, `and needs a yes that is ${grade}, not ${needed}`);
    this.waiting.set(effect?.id ?? '', { deputy, grade, sealed, amounts, until });
  }

  /** A call that is carried out under what was allowed in advance. */
  under(line: CallLine & Timed, amounts: Amounts, holds: Holds): void {
    const { under, deputy, time, mandateVersion } = line;
    this.#isNew(line, holds);
    const found = this.allowed.get(under ?? 0);
    holds(found?.deputy === deputy, `under line ${under}, which allows it nothing`);
    if (!found) return;
    holds(time < found.until, `under line ${under}, after its hour`);
    holds(found.count > 0, `under line ${under}, which is used up`);
    holds(mandateVersion === found.version, `under line ${under}, which was of another mandate`);
    holds(
      amounts.shirts <= found.amounts.shirts && amounts.spend <= found.amounts.spend,
      `with ${amounts.shirts} shirts, more than line ${under} was about`,
    );
    found.count -= 1;
  }

  /** The human's answer, or the system's; what waited, when something did. */
  answered(line: ActLine & Timed, approval: string | undefined, holds: Holds): Waiting | undefined {
    const { act, effect, time, deputy = '', sequence, grade = '', mandateVersion = 0 } = line;
    const waiting = this.waiting.get(effect?.id ?? '');
    holds(waiting?.deputy === deputy, 'what does not wait');
    if (!waiting) return undefined;
    this.waiting.delete(effect?.id ?? '');
    if (act !== 'approved') return waiting;
    holds(time < waiting.until, 'after its end');
    for (const needed of [waiting.grade, approval ?? waiting.grade])
      holds(GRADES.indexOf(grade) >= GRADES.indexOf(needed), `by a yes that is ${grade}, not ${needed}`);
    holds((grade === 'device') === (line.proof !== undefined), `by a yes that is ${grade}, with another proof`);
    if (line.proof) this.#proven(line, waiting, holds);
    if (!line.next) return waiting;
    holds(grade !== 'pressed', 'more in advance by a press');
    holds(line.next.count === NEXT, `${line.next.count} in advance`);
    const until = Date.parse(line.next.until);
    holds(until === time + HOUR, `in advance until ${line.next.until}`);
    const { amounts } = waiting;
    this.allowed.set(sequence, { deputy, amounts, version: mandateVersion, count: line.next.count, until });
    return waiting;
  }

  /** An act about passkeys, or about what was allowed in advance. False when it is another one. */
  act({ act, passkey = '', publicKey = '', counter = 0, usable = '', line, time }: ActLine & Timed, holds: Holds) {
    if (act === 'passkeyAdded') {
      const atOnce = this.passkeys.size === 0 && !this.#hadPasskey(time) && this.waiting.size === 0;
      const usableAt = Date.parse(usable);
      holds(usableAt === (atOnce ? time : time + DAY), `and counts from ${usable} on`);
      holds(!this.passkeys.has(passkey), 'twice');
      this.passkeys.set(passkey, { publicKey, counter, usableAt });
    } else if (act === 'passkeyRemoved') {
      const counted = this.#onesThatCount(time) > 0;
      holds(this.passkeys.delete(passkey), 'which was never added');
      if (counted && this.#onesThatCount(time) === 0) this.#lastRemoved = time;
    } else if (act === 'allowanceEnded') {
      holds(this.allowed.delete(line ?? 0), `of line ${line}, which allowed nothing`);
    } else return false;
    return true;
  }

  /** The clock was ahead: nothing waits longer than from now, and what was allowed in advance is over. */
  setBack(now: number): void {
    for (const one of this.waiting.values()) one.until = Math.min(one.until, now + QUESTION);
    for (const [call, time] of this.#askedAt) this.#askedAt.set(call, Math.min(time, now));
    this.allowed.clear();
  }

  /** For a day the same call gives the same order, whatever came of it. */
  #isNew({ deputy, arguments: sealed, time }: CallLine & Timed, holds: Holds): void {
    const before = this.#askedAt.get(`${deputy} ${sealed}`) ?? -Infinity;
    holds(before <= time - DAY, 'although the same call has asked before');
  }

  #onesThatCount(now: number): number {
    return [...this.passkeys.values()].filter(({ usableAt }) => usableAt <= now).length;
  }

  #hadPasskey(now: number): boolean {
    return this.#onesThatCount(now) > 0 || now < this.#lastRemoved + DAY;
  }

  /** A passkey of this human, which counted by then, has signed exactly this, once, with its human in front of it. */
  #proven(line: ActLine & Timed, { sealed, amounts, until }: Waiting, holds: Holds): void {
    const { proof, deputy, effect, mandateVersion, time, next } = line;
    if (!proof) return;
    const passkey = this.passkeys.get(proof.passkey);
    holds(passkey !== undefined && passkey.usableAt <= time, 'by a passkey that does not count');
    if (!passkey) return;
    holds(!this.#signatures.has(proof.signature), 'by a signature that was used before');
    this.#signatures.add(proof.signature);
    const { counter } = proof;
    holds(counter > passkey.counter || (counter === 0 && passkey.counter === 0), `by a counter that is ${counter}`);
    passkey.counter = counter;
    const agreed = {
      human: this.#userId,
      deputy,
      effect: effect?.id,
      tool: 'buyMcpShopItem',
      arguments: sealed,
      amounts,
      mandate: mandateVersion,
      until: new Date(until).toISOString(),
      ...(next && { next: next.count }),
    };
    const clientDataJSON = Buffer.from(proof.clientDataJSON, 'base64url');
    const { challenge } = z.object({ challenge: z.string() }).parse(JSON.parse(clientDataJSON.toString()));
    holds(challenge === sha256(sorted(agreed)).toString('base64url'), 'by a signature of something else');
    const authenticatorData = Buffer.from(proof.authenticatorData, 'base64url');
    // The flag "user verified": WebAuthn level 3, section 6.1.
    holds(((authenticatorData[32] ?? 0) & 4) === 4, 'without its human');
    const signed = Buffer.concat([authenticatorData, sha256(clientDataJSON)]);
    const signature = Buffer.from(proof.signature, 'base64url');
    holds(verify('sha256', signed, keyOf(passkey.publicKey), signature), 'by a signature that is none');
  }
}

function sha256(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

/** Members in order, nothing in between. */
function sorted(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sorted(member)}`).join(',')}}`;
}

/** A key of P-256 in COSE, as the authenticator of these tests writes it: x and y are its last two members. */
function keyOf(cose: string) {
  const bytes = Buffer.from(cose, 'base64url');
  const [x, y] = [bytes.subarray(-67, -35), bytes.subarray(-32)].map((part) => part.toString('base64url'));
  return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
}
