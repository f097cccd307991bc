/** The record as people read it: one sentence for each line, who did it first. */
import type { Child, FC } from 'hono/jsx';
import { SIGN_IN } from '../auth/names.ts';
import { ceilingInWords, moment, readsAmounts, sentenceOf, toHuman } from '../authority/words.ts';
import { domain } from '../domain.ts';
import type { Line, Suspension } from '../ledger/record.ts';
import { DAY_MS } from '../lifetimes.ts';

type Props = {
  lines: Line[];
  /** Gives a deputy its name on the page. */
  nameOf: (deputyId: string) => string;
  /** Milliseconds since the epoch. */
  now: number;
};

export const Timeline: FC<Props> = ({ lines, nameOf, now }) => (
  <>
    {[...Map.groupBy(lines, ({ at }) => at.slice(0, 10))].map(([day, ofDay]) => (
      <>
        <h3 class="day">{dayInWords(day, now)}</h3>
        <ol class="timeline">
          {ofDay.map((line) => (
            <li class={kindOf(line)} data-line={String(line.sequence)}>
              <time datetime={line.at}>{line.at.slice(11, 19)}</time>{' '}
              <span class="sentence">
                <Sentence line={line} nameOf={nameOf} />
              </span>{' '}
              <small>
                <span class="hidden">line </span>
                {line.sequence}
              </small>
              <details id={`line-${line.sequence}`}>
                <summary>
                  Details<span class="hidden"> of line {line.sequence}</span>
                </summary>
                <pre>
                  <code>{JSON.stringify(line, null, 2)}</code>
                </pre>
              </details>
            </li>
          ))}
        </ol>
      </>
    ))}
  </>
);

const DAYS = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeZone: 'UTC' });

function dayInWords(day: string, now: number): string {
  const reads = DAYS.format(new Date(day));
  if (day === new Date(now).toISOString().slice(0, 10)) return `Today, ${reads}`;
  return day === new Date(now - DAY_MS).toISOString().slice(0, 10) ? `Yesterday, ${reads}` : reads;
}

function kindOf(line: Line): string {
  if (line.actor === 'deputy') return line.decision;
  return line.actor;
}

const Sentence: FC<{ line: Line; nameOf: (deputyId: string) => string }> = ({ line, nameOf }) => {
  const named = (deputyId: string) => <bdi>{nameOf(deputyId)}</bdi>;
  return <>{line.actor === 'deputy' ? callSentence(line, named(line.deputy)) : actSentence(line, named)}</>;
};

function actSentence(line: Exclude<Line, { actor: 'deputy' }>, named: (deputyId: string) => Child): Child {
  switch (line.act) {
    case 'appointed':
      return (
        <>
          You appointed {named(line.deputy)}. {sentenceOf(domain, 'It', line.mandate)}
        </>
      );
    case 'activated':
      return <>{named(line.deputy)} took up its mandate.</>;
    case 'superseded':
      return <>{named(line.deputy)} was replaced by a newer deputy, as you said.</>;
    case 'revoked':
      return (
        <>
          {who(line)} dismissed {named(line.deputy)}.
        </>
      );
    case 'amended':
      return (
        <>
          You changed the mandate of {named(line.deputy)}. {sentenceOf(domain, 'It', line.mandate)}
        </>
      );
    case 'ceiling':
      return `You set the limits of your account. ${ceilingInWords(domain, line.ceiling)}`;
    case 'profile':
      return line.kept.length > 0 ? 'You changed your profile.' : 'You removed your profile.';
    case 'paused':
      return `${who(line)} paused every deputy.`;
    case 'suspended':
      return `Every deputy was suspended, because ${SUSPENDED_BECAUSE[line.why]}.`;
    case 'resumed':
      return 'You let your deputies go on.';
    case 'restored':
      return `The operator put your record back to ${moment(Date.parse(line.to))}. Every deputy is paused: look at what is here now.`;
    case 'unbanned':
      return 'You lifted the demo ban.';
    case 'erased':
      return 'You deleted your data. The record begins here.';
    case 'opened':
      return 'Your record begins here.';
    case 'pruned':
      return `Lines up to ${line.through} were older than 90 days and were folded into one.`;
    case 'clock':
      return `The clock was ${minutes(line.aheadMs)} ahead and is right again. What was used meanwhile counts from here.`;
    case 'counted':
      return (
        <>
          {named(line.deputy)} was refused {moreTimes(line.refused)}, for calling too often.
        </>
      );
  }
}

const SUSPENDED_BECAUSE = {
  user_gone: `${SIGN_IN} no longer had you as a user`,
  membership_gone: 'you were no longer a member of the organization that you had signed in with',
} satisfies Record<Suspension, string>;

/** Who did what the human does: somebody else in an impersonated session, whom WorkOS's own log names by that session. */
function who({ impersonation }: { impersonation?: string | undefined }): string {
  return impersonation === undefined ? 'You' : `Somebody who was signed in as you (${impersonation})`;
}

function callSentence(line: Extract<Line, { actor: 'deputy' }>, name: Child): Child {
  const { tool, decision, repeats, effect, asked, refusedBefore } = line;
  const before = refusedBefore && ` Before that it was refused ${moreTimes(refusedBefore)}, for calling too often.`;
  const said = (what: string) => (
    <>
      {name} {what}.{before}
    </>
  );
  if (decision === 'refused') {
    const tried = asked ? `${titleOf(tool)}: ${readsAmounts(domain, asked)}` : titleOf(tool);
    // A rule from another version is a sentence of its own.
    return said(`was refused “${tried}”, because ${toHuman(domain, line).replace(/\.$/, '')}`);
  }
  if (repeats) return said(`repeated a call that it had made before; nothing was done again`);
  return said(effect ? domain.effect.tells(effect) : `used “${titleOf(tool)}”`);
}

/** A tool as people know it. */
function titleOf(name: string): string {
  return domain.tools.find((tool) => tool.name === name)?.title ?? name;
}

function minutes(ms: number): string {
  return `${Math.round(ms / 60_000)} minutes`;
}

function moreTimes(count: number): string {
  return count === 1 ? 'once more' : `${count} more times`;
}
