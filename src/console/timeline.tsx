/** The record as people read it: one sentence for each line, who did it first. */
import type { FC } from 'hono/jsx';
import type { Line } from '../authority/audit.ts';
import { sentenceOf, shirts } from '../authority/mandate.ts';
import { formatPrice } from '../shop/catalog.ts';

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
              <bdi class="sentence">{sentence(line, nameOf)}</bdi> <small>{line.sequence}</small>
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

const DAY = 24 * 60 * 60_000;
const DAYS = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeZone: 'UTC' });

function dayInWords(day: string, now: number): string {
  const reads = DAYS.format(new Date(day));
  if (day === new Date(now).toISOString().slice(0, 10)) return `Today, ${reads}`;
  return day === new Date(now - DAY).toISOString().slice(0, 10) ? `Yesterday, ${reads}` : reads;
}

function kindOf(line: Line): string {
  if (line.actor === 'deputy') return line.decision;
  return line.actor;
}

function sentence(line: Line, nameOf: (deputyId: string) => string): string {
  if (line.actor === 'deputy') return callSentence(line, nameOf(line.deputy));
  switch (line.act) {
    case 'appointed':
      return `You appointed ${nameOf(line.deputy)}. ${sentenceOf('It', line.mandate)}`;
    case 'activated':
      return `${nameOf(line.deputy)} took up its mandate.`;
    case 'superseded':
      return `${nameOf(line.deputy)} was replaced by a newer deputy, as you said.`;
    case 'revoked':
      return `You dismissed ${nameOf(line.deputy)}.`;
    case 'amended':
      return `You changed the mandate of ${nameOf(line.deputy)}. ${sentenceOf('It', line.mandate)}`;
    case 'ceiling':
      return `You set the limits of your account to ${shirts(line.ceiling.shirtsPerDay)} and ${formatPrice(line.ceiling.spendPerDay)} in 24 hours.`;
    case 'paused':
      return 'You paused every deputy.';
    case 'resumed':
      return 'You let your deputies go on.';
    case 'erased':
      return 'You deleted your data. The record begins here.';
    case 'opened':
      return 'The record begins here, with what there was before it.';
    case 'pruned':
      return `Lines up to ${line.through} were older than 90 days and were folded into one.`;
    case 'counted':
      return `${nameOf(line.deputy)} was refused ${line.refused} more times, for calling too often.`;
  }
}

function callSentence(line: Extract<Line, { actor: 'deputy' }>, name: string): string {
  const more = line.refusedBefore
    ? ` Before that it was refused ${line.refusedBefore} more times, for calling too often.`
    : '';
  if (line.decision === 'refused') return `${name} was refused ${line.tool}: ${line.rule ?? line.code ?? ''}${more}`;
  if (line.repeats) return `${name} repeated the purchase of order ${line.repeats}; nothing was bought again.${more}`;
  if (line.order) {
    const { id, quantity, total, status } = line.order;
    return status === 'cancelled'
      ? `${name} cancelled order ${id}.${more}`
      : `${name} bought ${shirts(quantity)} for ${formatPrice(total)}, order ${id}.${more}`;
  }
  return `${name} called ${line.tool}.${more}`;
}
