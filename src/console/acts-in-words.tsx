/** What the human and the system did, in a sentence. `whole`: with the mandate or the limits that came of it. */
import type { Child } from 'hono/jsx';
import { SIGN_IN } from '../auth/names.ts';
import { ceilingInWords } from '../authority/words.ts';
import { domain } from '../domain.ts';
import type { Line, Suspension } from '../ledger/record.ts';
import type { IconName } from '../pages/icons.tsx';
import { type Clock, When } from '../pages/when.tsx';
import { approvalSentence } from './approval-words.tsx';
import { brief, Deed, times, whoActed } from './in-short.tsx';

type ActLine = Exclude<Line, { actor: 'deputy' }>;
type Named = (deputyId: string) => Child;

/** `halt`: something was stopped. */
export function actOf(
  line: ActLine,
  named: Named,
  clock: Clock,
  whole: boolean,
): { halt: boolean; icon: IconName; text: Child } {
  return { halt: HALTS.has(line.act), icon: ICONS[line.act] ?? 'check', text: sentenceFor(line, named, clock, whole) };
}

const HALTS = new Set(['paused', 'revoked', 'suspended', 'restored', 'denied']);
const ICONS: Partial<Record<ActLine['act'], IconName>> = {
  appointed: 'star',
  activated: 'star',
  paused: 'stop',
  revoked: 'stop',
  resigned: 'stop',
  suspended: 'stop',
  restored: 'stop',
  superseded: 'cross',
  denied: 'cross',
  lapsed: 'cross',
  voided: 'cross',
  passkeyAdded: 'key',
  passkeyRemoved: 'key',
  guarded: 'key',
  counted: 'cross',
};

function sentenceFor(line: ActLine, named: Named, clock: Clock, whole: boolean): Child {
  switch (line.act) {
    case 'appointed':
      return (
        <>
          You appointed {named(line.deputy)}
          {whole && (
            <>
              . <Deed who="It" mandate={line.mandate} clock={clock} />
            </>
          )}
        </>
      );
    case 'activated':
      return <>{named(line.deputy)} took up its mandate</>;
    case 'resigned':
      return <>{named(line.deputy)} gave its authority back</>;
    case 'superseded':
      return <>{named(line.deputy)} was replaced by a newer deputy, as you said</>;
    case 'revoked':
      return (
        <>
          {whoActed(line)} dismissed {named(line.deputy)}
        </>
      );
    case 'amended':
      return (
        <>
          You changed the terms of {named(line.deputy)}
          {whole && (
            <>
              . <Deed who="It" mandate={line.mandate} clock={clock} />
            </>
          )}
        </>
      );
    case 'ceiling':
      return `You set the limits of your account${whole ? `. ${brief(ceilingInWords(domain, line.ceiling))}` : ''}`;
    case 'profile':
      return line.kept.length > 0 ? 'You changed your profile' : 'You removed your profile';
    case 'paused':
      return line.deputy === undefined ? (
        `${whoActed(line)} stopped every deputy`
      ) : (
        <>
          {whoActed(line)} paused {named(line.deputy)}
        </>
      );
    case 'suspended':
      return `Every deputy was suspended, because ${SUSPENDED_BECAUSE[line.why]}`;
    case 'resumed':
      return line.deputy === undefined ? 'You let your deputies go on' : <>You let {named(line.deputy)} go on</>;
    case 'named':
      return line.name === '' ? (
        <>You took back the name of {named(line.deputy)}</>
      ) : (
        <>
          You called a deputy <bdi>{line.name}</bdi>
        </>
      );
    case 'restored':
      return (
        <>
          The operator put your record back to <When at={line.to} clock={clock} moment />. Every deputy is stopped: look
          at what is here now
        </>
      );
    case 'unbanned':
      return 'You lifted the demo ban';
    case 'erased':
      return 'You deleted your data. The record begins here';
    case 'opened':
      return 'Your record begins here';
    case 'pruned':
      return `Lines up to ${line.through} were older than 90 days and were folded into one`;
    case 'clock':
      return `The clock was ${Math.round(line.aheadMs / 60_000)} minutes ahead and is right again. What was used meanwhile counts from here`;
    case 'counted':
      return (
        <>
          {named(line.deputy)} was refused {times(line.refused)} more, for calling too often
        </>
      );
    default:
      return approvalSentence(line, named) ?? '';
  }
}

const SUSPENDED_BECAUSE = {
  user_gone: `${SIGN_IN} no longer had you as a user`,
  membership_gone: 'you were no longer a member of the organization that you had signed in with',
} satisfies Record<Suspension, string>;
