/** Questions and passkeys as the human reads them: in the record, and where a yes is stopped. */
import type { Child } from 'hono/jsx';
import type { Grade } from '../authority/grade.ts';
import type { Reason } from '../authority/refusal.ts';
import { moment, readsAmounts, toHuman, toModel } from '../authority/words.ts';
import { domain } from '../domain.ts';
import type { Line, Voided } from '../ledger/record.ts';
import { whoActed } from './in-short.tsx';

/** What stops a yes: "…, because you have paused your deputies". */
export function stoppedInWords(reason: Reason): string {
  const { code, rule, limit } = toModel(domain, reason);
  const most = 'limit' in reason ? { most: reason.most } : {};
  return toHuman(domain, { code, rule, limit, ...most }).replace(/\.$/, '');
}

type ActLine = Exclude<Line, { actor: 'deputy' }>;
type CallLine = Extract<Line, { actor: 'deputy' }>;

/** The sentence of a line about a question or a passkey; undefined for any other. */
export function approvalSentence(line: ActLine, named: (deputyId: string) => Child): Child | undefined {
  switch (line.act) {
    case 'approved':
      return (
        <>
          You said yes to {act} {line.effect.number} of {named(line.deputy)}, {GIVEN[line.grade]}
          {line.next && `, and to the next ${line.next.count} like it until ${moment(Date.parse(line.next.until))}`}
        </>
      );
    case 'denied':
      return (
        <>
          {whoActed(line)} said no to {act} {line.effect.number} of {named(line.deputy)}
        </>
      );
    case 'lapsed':
      return (
        <>
          The question of {named(line.deputy)} about {act} {line.effect.number} was not answered in time
        </>
      );
    case 'voided':
      return (
        <>
          The question of {named(line.deputy)} about {act} {line.effect.number} is void, because{' '}
          {VOID_BECAUSE[line.why]}
        </>
      );
    case 'allowanceEnded':
      return (
        <>
          You took back what you had allowed {named(line.deputy)} in advance, in line {line.line}
        </>
      );
    case 'passkeyAdded':
      return line.usable === line.at
        ? 'You added a passkey'
        : `You added a passkey, which counts from ${moment(Date.parse(line.usable))} on`;
    case 'passkeyRemoved':
      return 'You removed a passkey';
    case 'guarded':
      return line.device
        ? 'You set that what gives your deputies more needs a passkey'
        : 'You set that what gives your deputies more needs no passkey any more';
    default:
      return undefined;
  }
}

/** What a deputy did about an effect, after its name: it asked, took its question back, or what the domain says. */
export function toldOf({ decision, effect }: Pick<CallLine, 'decision' | 'effect'>): string {
  if (!effect) return '';
  if (decision === 'asked') return `asked you: ${readsAmounts(domain, effect.amounts ?? {})}, ${act} ${effect.number}`;
  if (effect.state === 'void') return `took back its question about ${act} ${effect.number}`;
  return domain.effect.tells(effect);
}

const act = domain.act.noun;

const GIVEN = {
  pressed: 'by a press',
  confirmed: 'after signing in again',
  device: 'with your device',
} satisfies Record<Grade, string>;

const VOID_BECAUSE = {
  dismissed: 'you dismissed it',
  replaced: 'you replaced it',
  resigned: 'it resigned',
  restored: 'your record was put back',
} satisfies Record<Voided, string>;
