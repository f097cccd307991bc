/** How mandates and refusals read, for the model and for the human. The one place that words them. Pure. */
import type { Grade } from './grade.ts';
import type { Mandate } from './mandate.ts';
import { type AskReason, type LimitReason, type Reason, type Told, whoCanLift } from './refusal.ts';
import { ACTS, basePower, CALLS, isNames, type Limits, type LimitValue, maySpend, type Terms } from './terms.ts';
import { ceilingOf, neverAsks, valueOf } from './limits.ts';
import { isNamed, withArticle } from './units.ts';
import { SPANS } from './window.ts';

/** Kept, because making one takes far longer than using it. */
const dateFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
const timeFormat = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'UTC' });
const listFormat = new Intl.ListFormat('en');

/** A moment for people, in UTC: "30 November 2026, 18:00 UTC". */
export function moment(milliseconds: number): string {
  return `${dateFormat.format(milliseconds)}, ${timeFormat.format(milliseconds)} UTC`;
}

/** A limit's value, for people: "3 shirts", "$25.00", "10 orders". */
export function reads({ limits, units, act }: Terms, name: string, value: LimitValue): string {
  const of = limits[name]?.of ?? '';
  if (of === ACTS) return `${String(value)} ${value === 1 ? act.noun : act.nouns}`;
  if (of === CALLS) return `${String(value)} ${value === 1 ? 'call' : 'calls'}`;
  const unit = units[of];
  if (!unit) return String(value);
  if (isNamed(unit)) return unit.reads(typeof value === 'object' ? value : []);
  return unit.reads(Number(value));
}

/** Amounts for people, as a list: "2 shirts and $50.00". */
export function readsAmounts({ units }: Terms, amounts: Record<string, number>): string {
  return listFormat.format(
    Object.entries(amounts).flatMap(([name, amount]) => {
      const unit = units[name];
      return unit && !isNamed(unit) ? [unit.reads(amount)] : [];
    }),
  );
}

/** A part of a sentence: fixed words, or a blank of that name and how it reads once filled in. */
export type Part = string | { blank: string; reads: string };

/** A sentence of the domain, with its blanks. */
export function partsOf(terms: Terms, sentence: string, valueAt: (limit: string) => LimitValue): Part[] {
  return sentence.split(/(\{\w+\})/).flatMap((piece): Part[] => {
    const blank = /^\{(\w+)\}$/.exec(piece)?.[1];
    if (blank !== undefined) return [{ blank, reads: reads(terms, blank, valueAt(blank)) }];
    return piece === '' ? [] : [piece];
  });
}

/** The blanks of a mandate for metered calls, in the order they are read. The last one is `until`. What is never asked is left out. */
export function blanksOf(terms: Terms, { limits, expiresAt }: Pick<Mandate, 'limits' | 'expiresAt'>): Part[] {
  const valueAt = (name: string) => {
    const limit = terms.limits[name];
    return limit ? valueOf(limits, name, limit) : 0;
  };
  return [
    ...partsOf(terms, saidIn(terms, limits), valueAt),
    ' All this until ',
    { blank: 'until', reads: moment(expiresAt) },
    '.',
  ];
}

function saidIn(terms: Terms, limits: Limits): string {
  const never = Object.keys(terms.limits).filter((name) => neverAsks(terms, limits, name));
  return sentencesIn(terms.sentence)
    .filter((sentence) => !never.some((name) => sentence.includes(`{${name}}`)))
    .join(' ');
}

export function sentencesIn(text: string): string[] {
  return text.split(/(?<=\.)\s+/);
}

export function inWords(parts: readonly Part[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : part.reads)).join('');
}

/** The mandate in words, for the human and the deputy alike. `client` is how the page names the deputy. */
export function sentenceOf(
  terms: Terms,
  client: string,
  mandate: Pick<Mandate, 'scopes' | 'limits' | 'approval' | 'expiresAt'>,
): string {
  const base = basePower(terms);
  const powers = Object.entries(terms.powers).filter(([scope]) => scope === base || mandate.scopes.includes(scope));
  const may = `${client} may ${listFormat.format(powers.map(([, power]) => power.reads))} in your name`;
  if (!maySpend(terms, mandate.scopes))
    return `${may}, until ${moment(mandate.expiresAt)}. It may not ${terms.act.verb}.`;
  const yes = mandate.approval ? ` Yes is said ${YES_SAID[mandate.approval]}.` : '';
  return `${may}. ${inWords(blanksOf(terms, mandate))}${yes}`;
}

const YES_SAID = {
  pressed: 'by pressing a button',
  confirmed: 'after signing in again',
  device: 'with a passkey',
} satisfies Record<Grade, string>;

/** The account's limits in words. */
export function ceilingInWords(terms: Terms, ceiling: Record<string, number>): string {
  const valueAt = (name: string) => {
    const limit = terms.limits[name];
    return limit && !isNames(limit) ? ceilingOf(ceiling, name, limit) : 0;
  };
  return inWords(partsOf(terms, terms.ceiling, valueAt));
}

/** A refusal as the model reads it. */
export function toModel(terms: Terms, reason: Reason): Told {
  return { code: reason.code, ...wordsFor(terms, reason), whoCanLift: whoCanLift(reason.code) };
}

type Words = Pick<Told, 'message' | 'rule' | 'limit' | 'remaining' | 'waiting'>;

const AGAIN = 'Stop, tell your human, and sign in again if they want you to go on.';

const ANOTHER =
  'Ask them whether they still want it; if so, call again with something changed, such as a new idempotencyKey.';

function says(message: string, rule: string): Words {
  return { message, rule };
}

function wordsFor(terms: Terms, reason: Reason): Words {
  const { act } = terms;
  switch (reason.code) {
    case 'deputy_unknown':
      return says(`Your human has no such deputy. ${AGAIN}`, 'A deputy acts only after its human has appointed it.');
    case 'deputy_revoked':
      return says(`Your human has dismissed this deputy. ${AGAIN}`, 'A dismissed deputy may do nothing.');
    case 'deputy_superseded':
      return says(`Your human has replaced this deputy by a newer one. ${AGAIN}`, 'A replaced deputy may do nothing.');
    case 'deputy_resigned':
      return says(
        `The authority of this deputy was given back with its tokens. ${AGAIN}`,
        'A deputy whose tokens were given back may do nothing.',
      );
    case 'mandate_expired': {
      const ended = `ended on ${moment(reason.expiresAt)}.`;
      return says(`Your mandate ${ended} ${AGAIN}`, `The mandate ${ended}`);
    }
    case 'paused':
      return says(
        'Your human has paused all their deputies. No tool lifts that, prettyPlease included. Stop, tell them, and wait until they resume on their page.',
        'While the human has paused their deputies, no deputy may do anything.',
      );
    case 'deputy_paused':
      return says(
        'Your human has paused this deputy. No tool lifts that, prettyPlease included. Stop, tell them, and wait until they let it go on on their page.',
        'While the human has paused this deputy, it may do nothing.',
      );
    case 'suspended':
      return says(
        'Your human is gone from where they sign in, or from their organization there, so all their deputies are suspended. No tool lifts that. Stop, tell them, and wait until they sign in again and resume on their page.',
        'While the human is suspended, no deputy may do anything.',
      );
    case 'insufficient_scope':
      return says(
        `${reason.tool} needs ${reason.scope}, which your human has not granted. Sign in again to ask for it.`,
        `${reason.tool} needs the scope ${reason.scope}.`,
      );
    case 'permission_required':
      return says(
        `${reason.tool} needs the ${reason.permission} permission, which your human does not have. Carry on without it, or tell them that an administrator can give it to them.`,
        `${reason.tool} needs the permission ${reason.permission} of the human.`,
      );
    case 'unknown_tool':
      return says(
        'There is no such tool. Call tools/list for those there are.',
        'Only the tools that tools/list names can be called.',
      );
    case 'invalid_request':
      return says(
        `${reason.tool} was not carried out, because the message is not as the protocol asks for it.`,
        'A call must be as its version of the protocol asks for it.',
      );
    case 'invalid_arguments':
      return says(
        `${reason.tool} was not carried out, because of its arguments. ${reason.problems.join(' ')} Correct them and call again.`,
        'The arguments must be as tools/list describes them.',
      );
    case 'unknown_cursor':
      return says(
        `${reason.field}: this is not a nextCursor of this ${act.noun} list. Leave ${reason.field} out to start at the newest ${act.noun}.`,
        'A cursor comes from an earlier page of the same list.',
      );
    case 'unknown_effect':
      return says(
        `${reason.field}: your human has no ${act.noun} of that id. Take one from ${act.look}.`,
        `Only the human's own ${act.nouns} can be looked up and changed.`,
      );
    case 'approval_required':
      return askWords(terms, reason);
    case 'approval_denied':
      return says(
        `Your human said no to this ${act.noun} (${reason.id}). Stop, and ask them what they want instead. Only if they want it after all, call again with something changed, such as a new idempotencyKey.`,
        'The very call that a human has denied is not asked again.',
      );
    case 'approval_lapsed':
      return says(
        `Your human did not answer in time, so nothing came of this ${act.noun} (${reason.id}). ${ANOTHER}`,
        'A question that is not answered in time is as good as denied.',
      );
    case 'approval_withdrawn':
      return says(
        `Your question about this ${act.noun} (${reason.id}) was taken back, so nothing came of it. ${ANOTHER}`,
        'A question that was taken back is not answered.',
      );
    case 'too_many_waiting':
      return says(
        `Your human has ${reason.most} questions of yours to answer already. Wait until they have, or take one back.`,
        `At most ${reason.most} questions of one deputy wait for its human.`,
      );
    case 'not_your_request':
      return says(
        `${reason.field}: another deputy has asked for this ${act.noun}, and it waits for your human. Only that deputy can take it back, so tell your human, who can deny it on their page.`,
        'What waits for the human is taken back by the deputy that asked.',
      );
    case 'idempotency_conflict':
      return says(
        `${reason.tool}: this idempotencyKey was used with other arguments, so nothing was ${act.did}. Repeat that call exactly, or take a new key for a new ${act.noun}.`,
        'Within 24 hours an idempotencyKey stands for one call, with the arguments it was first used with.',
      );
    case 'demo_banned':
      return says(
        reason.says,
        'Demo mode is "banned" for every deputy of this human; prettyPlease or clearDemoMode lifts it.',
      );
    case 'internal_error':
      return says(
        `Something broke on our side (error ${reason.id}). Nothing was done. Try again in a moment; if it stays, give your human that id.`,
        `An unexpected error, logged as ${reason.id}.`,
      );
    default:
      return { limit: reason.limit, ...limitWords(terms, reason) };
  }
}

function askWords(terms: Terms, { limit, most, waiting }: AskReason): Words {
  const { noun } = terms.act;
  const allowed = reads(terms, limit, most);
  const asked = waiting
    ? `They answer on that page until ${moment(waiting.endsAt)}: give them its address, and wait. Once they have answered, repeat this very call; after a yes it brings ${noun} ${waiting.id}.`
    : 'Ask them.';
  return {
    message: `Your human wants to be asked above ${allowed} in one ${noun}, and now is: nothing is ${terms.act.did} yet. ${asked}`,
    rule: `Above ${allowed} in one ${noun} the human must approve.`,
    limit,
    remaining: { [terms.limits[limit]?.of ?? limit]: Number(most) },
    ...(waiting && { waiting: { id: waiting.id, until: new Date(waiting.endsAt).toISOString() } }),
  };
}

function limitWords(terms: Terms, { code, limit: name, most, wanted, used = 0, freesAt }: LimitReason): Words {
  const { act } = terms;
  const limit = terms.limits[name];
  if (!limit) throw new Error(`there is no limit ${name}`);
  const [allowed, asked] = [reads(terms, name, most), reads(terms, name, wanted)];
  if (isNames(limit)) {
    const message = `${asked}: not among what your human allows, which is ${allowed}. Keep to that, or ask your human to change it on their page.`;
    return { message, rule: `Only ${allowed}.` };
  }
  const less = `${act.less}, or ask your human to change that on their page.`;
  if (limit.per === 'act') {
    const message = `${asked} ${wanted === 1 ? 'is' : 'are'} more than your human allows in one ${act.noun}: ${allowed}. ${less}`;
    return { message, rule: `At most ${allowed} ${withArticle(act.noun)}.`, remaining: { [limit.of]: Number(most) } };
  }
  const { reads: span, within } = SPANS[limit.per];
  const all = code === 'account_limit';
  const rule = `At most ${allowed} in any ${span}${all ? ', over all deputies' : ''}.`;
  const frees: Told['remaining'] = freesAt === undefined ? {} : { freesAt: new Date(freesAt).toISOString() };
  if (limit.of === CALLS) {
    const message = `You have made ${reads(terms, name, used)} within ${within}, and that is the limit. Wait ${within}, then go on more slowly.`;
    return { message, rule, remaining: frees };
  }
  if (limit.of === ACTS) {
    const message = `You have ${act.did} ${used} times within ${within}, and that is the limit. Check with ${act.look} that you mean it, then wait ${within}.`;
    return { message, rule, remaining: frees };
  }
  const left = Math.max(0, Number(most) - used);
  const whose = all ? 'the account allows all its deputies together' : 'your human allows you';
  const message = `${asked} would be more than ${whose} in ${within}: ${allowed}, with ${reads(terms, name, left)} left. ${less}`;
  return { message, rule, remaining: { [limit.of]: left, ...frees } };
}

/** What a line of the record keeps of a refusal. */
export type Refused = {
  code?: string | undefined;
  rule?: string | undefined;
  limit?: string | undefined;
  most?: LimitValue | undefined;
};

/** What a human reads of codes that are no limit's: "was refused, because …". */
const TO_HUMAN: Record<string, string> = {
  deputy_unknown: 'you have not appointed it',
  deputy_revoked: 'you dismissed it',
  deputy_superseded: 'you have replaced it by a newer one',
  deputy_resigned: 'it had given its authority back',
  mandate_expired: 'its mandate has ended',
  paused: 'you stopped every deputy',
  deputy_paused: 'you paused it',
  suspended: 'your deputies were suspended',
  insufficient_scope: 'you have not granted it that',
  approval_required: 'it must ask you first',
  approval_denied: 'you had said no to it',
  approval_lapsed: 'you had not answered in time',
  approval_withdrawn: 'its question was taken back',
  too_many_waiting: 'enough questions of it wait for you',
  not_your_request: 'another deputy has asked you for that',
  permission_required: 'it needs a permission that you do not have',
  unknown_tool: 'there is no such tool',
  invalid_request: 'it asked in a form that the protocol does not know',
  invalid_arguments: 'it asked in a form that the tool does not take',
  unknown_cursor: 'it asked for a page that there is not',
  unknown_effect: 'it asked for something that you do not have',
  idempotency_conflict: 'it used one key for two different calls',
  demo_banned: 'the demo ban is on',
  internal_error: 'something broke on our side',
};

/** Why a call was refused, as its human reads it: "you allow it 5 shirts in one order". A code of another version has its rule instead. */
export function toHuman(terms: Terms, { code = '', rule, limit: name = '', most }: Refused): string {
  const limit = terms.limits[name];
  if (!limit || most === undefined) return TO_HUMAN[code] ?? rule ?? 'of a rule that is no longer known';
  const allowed = reads(terms, name, most);
  if (isNames(limit)) return `you allow it only ${allowed}`;
  if (code === 'approval_required') return `above ${allowed} in one ${terms.act.noun} it must ask you`;
  const within = limit.per === 'act' ? `one ${terms.act.noun}` : `any ${SPANS[limit.per].reads}`;
  if (code === 'account_limit') return `your account allows all deputies together ${allowed} in ${within}`;
  return limit.label === undefined
    ? `${allowed} in ${within} is the most for any deputy`
    : `you allow it ${allowed} in ${within}`;
}
