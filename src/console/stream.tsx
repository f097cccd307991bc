/** The record as people read it, newest first: reads are quiet, effects and refusals are not, and the human is a line across. */
import type { Child, FC } from 'hono/jsx';
import { toHuman } from '../authority/words.ts';
import { domain } from '../domain.ts';
import { WAITING } from '../ledger/approvals.ts';
import type { Effect } from '../ledger/effects.ts';
import type { Line } from '../ledger/record.ts';
import type { Story } from '../ledger/view.ts';
import { Icon, Thing } from '../pages/icons.tsx';
import { type Clock, When } from '../pages/when.tsx';
import { actOf } from './acts-in-words.tsx';
import { toldOf } from './approval-words.tsx';
import { amountsInShort, brief, type NameOf, namesOf, times, unitsIn } from './in-short.tsx';

export type CallLine = Extract<Line, { actor: 'deputy' }>;

/** Reads that follow each other within so many milliseconds share a row. */
const GROUPED_MS = 30_000;

/** What the human stopped, in red; every other refusal is a rule's, in black. */
const STOPPED_BY_YOU = new Set(['paused', 'deputy_paused', 'suspended', 'deputy_revoked', 'deputy_superseded']);

type Props = {
  story: Story;
  clock: Clock;
  label: string;
  /** Each line for itself, with its number and all that it says. */
  whole?: boolean;
  /** Of deputies beside those of the story. */
  names?: NameOf;
};

export const Stream: FC<Props> = ({ story, clock, label, whole, names = namesOf(story.deputies) }) => {
  const effects = new Map(story.effects.map((effect) => [effect.id, effect]));
  const rows = whole ? story.lines.map((line) => [line]) : grouped(story.lines);
  return (
    <ol class="sheet stream" id="record" role="list" aria-label={label} tabindex={0}>
      {rows.map((lines) => (
        <Row lines={lines} effects={effects} names={names} clock={clock} whole={whole === true} />
      ))}
      {rows.length === 0 && (
        <li class="read">
          <i></i>
          <i></i>
          <p>Nothing yet.</p>
        </li>
      )}
    </ol>
  );
};

function grouped(lines: readonly Line[]): Line[][] {
  const rows: Line[][] = [];
  for (const line of lines) {
    const row = rows.at(-1);
    const [newest] = row ?? [];
    const isNear = newest && isRead(newest) && Date.parse(newest.at) - Date.parse(line.at) < GROUPED_MS;
    if (isNear && isRead(line)) row?.push(line);
    else rows.push([line]);
  }
  return rows;
}

function isRead(line: Line): boolean {
  return line.actor === 'deputy' && line.decision === 'allowed' && !line.effect && !line.repeats;
}

type RowProps = { lines: Line[]; effects: Map<string, Effect>; names: NameOf; clock: Clock; whole: boolean };

const Row: FC<RowProps> = ({ lines, effects, names, clock, whole }) => {
  const [line] = lines;
  if (!line) return null;
  const shown = { clock, whole, names };
  if (line.actor !== 'deputy') return <ActRow {...shown} line={line} />;
  if (line.decision === 'refused') return <RefusedRow {...shown} line={line} />;
  const effect = line.effect && effects.get(line.effect.id);
  if (line.effect?.amounts) return <MadeRow {...shown} line={line} effect={effect} />;
  const said = line.effect
    ? toldOf(line)
    : line.repeats !== undefined
      ? 'repeated a call that it had made before; nothing was done again'
      : undefined;
  return (
    <Item line={line} clock={clock} whole={whole} kind="read">
      <i></i>
      <p class="sentence">
        {said === undefined ? (
          <Reads lines={lines} names={names} />
        ) : (
          <>
            <bdi>{names(line.deputy)}</bdi> {said}.
          </>
        )}
        <Before line={line} />
      </p>
    </Item>
  );
};

/** "Claude looked around twice." for each deputy and what it did. */
const Reads: FC<{ lines: Line[]; names: NameOf }> = ({ lines, names }) => {
  const calls = lines.filter((line) => line.actor === 'deputy');
  const same = Map.groupBy(calls, ({ deputy, tool }) => `${deputy} ${tool}`);
  return (
    <>
      {[...same.values()].map(([{ deputy, tool } = { deputy: '', tool: '' }, ...more]) => (
        <>
          <bdi>{names(deputy)}</bdi> {toolNamed(tool)?.did ?? `used “${titleOf(tool)}”`}
          {more.length > 0 && ` ${times(more.length + 1)}`}.{' '}
        </>
      ))}
    </>
  );
};

const Item: FC<{ line: Line; clock: Clock; whole: boolean; kind: string; children?: Child }> = ({
  line,
  clock,
  whole,
  kind,
  children,
}) => (
  <li class={kind} id={`line-${line.sequence}`} data-line={String(line.sequence)}>
    <When at={line.at} clock={clock} />
    {children}
    {whole && <All line={line} />}
  </li>
);

/** The line itself, for whoever wants to see it. */
const All: FC<{ line: Line }> = ({ line }) => (
  <details id={`details-${line.sequence}`} class="all">
    <summary class="small">
      <span class="hidden">Details of </span>line {line.sequence}
    </summary>
    <pre>
      <code>{JSON.stringify(line, null, 2)}</code>
    </pre>
  </details>
);

type CallRow = { line: CallLine; clock: Clock; whole: boolean; names: NameOf };

const MadeRow: FC<CallRow & { effect: Effect | undefined }> = ({ line, effect, names, ...shown }) => {
  const amounts = line.effect?.amounts ?? {};
  const drawn = effect && domain.effect.brief?.(effect);
  const [[, first] = ['', ''], ...rest] = unitsIn(amounts);
  return (
    <Item {...shown} line={line} kind="buy">
      <Thing class={drawn?.tint ?? ''} />
      <p class="sentence">
        <b>
          <bdi>{names(line.deputy)}</bdi>
        </b>{' '}
        {line.decision === 'asked' ? `${asking(effect)} you for` : domain.act.did} <b>{drawn?.what ?? first}</b>
        {drawn?.more && `, ${drawn.more}`}{' '}
        <a class="number" href={`/deputies/${domain.act.nouns}?before=${(line.effect?.number ?? 0) + 1}`}>
          {domain.act.noun} {line.effect?.number}
        </a>
        {line.under !== undefined && <small> as you had allowed in advance</small>}
        {effect && effect.state !== line.effect?.state && <small> {effect.state} since</small>}
        <Before line={line} />
      </p>
      <span class="sum num">{brief(drawn?.sum ?? rest.map(([, text]) => text).join(', '))}</span>
    </Item>
  );
};

const RefusedRow: FC<CallRow> = ({ line, names, ...shown }) => {
  const { code = '', tool, asked } = line;
  const isYours = STOPPED_BY_YOU.has(code);
  const [[, first] = ['', ''], ...rest] = unitsIn(asked ?? {});
  const why = toHuman(domain, line).replace(/\.$/, '');
  // Of what everybody was stopped, the page says it once, in large letters.
  const isPlain = code === 'paused' && !shown.whole;
  return (
    <Item {...shown} line={line} kind={isYours ? 'no stopped' : 'no'}>
      <Icon of={isYours ? 'lock' : 'cross'} class="mid" />
      <p class="sentence">
        <b>
          <bdi>{names(line.deputy)}</bdi>
        </b>{' '}
        tried to{' '}
        {asked ? (
          <>
            {domain.act.verb} <b>{first}</b>
          </>
        ) : (
          <b>{withoutCapital(titleOf(tool))}</b>
        )}
        <Before line={line} />
        {!isPlain && (
          <span class="why">
            <b class="stamp">Refused</b> {brief(why)}
          </span>
        )}
      </p>
      {isPlain ? <b class="stamp">Refused</b> : <s class="sum num">{rest.map(([, text]) => text).join(', ')}</s>}
    </Item>
  );
};

/** Refusals over the limit of a minute share a line. */
const Before: FC<{ line: CallLine }> = ({ line: { refusedBefore } }) =>
  refusedBefore ? <small> and was refused {times(refusedBefore)} before that, for calling too often</small> : null;

const ActRow: FC<{ line: Exclude<Line, { actor: 'deputy' }>; clock: Clock; whole: boolean; names: NameOf }> = ({
  line,
  clock,
  whole,
  names,
}) => {
  const { halt, all, icon, text, terms } = actOf(line, (id) => <bdi>{names(id)}</bdi>, clock);
  return (
    <li
      class={`you${halt ? ' halt' : ''}${all ? ' all-of-you' : ''}`}
      id={`line-${line.sequence}`}
      data-line={String(line.sequence)}
      {...(line.actor === 'human' && { 'data-human': '' })}
    >
      <Icon of={icon} />
      <p class="sentence">
        {text}
        {whole && terms && <>. {terms}</>}
      </p>
      <When at={line.at} clock={clock} />
      {whole && <All line={line} />}
    </li>
  );
};

export function titleOf(name: string): string {
  return toolNamed(name)?.title ?? name;
}

function toolNamed(name: string) {
  return domain.tools.find((tool) => tool.name === name);
}

function withoutCapital(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** What a deputy did last, in half a sentence: "bought 1 black shirt". */
export function lastOf(deputyId: string, { lines, effects }: Story, clock: Clock): Child {
  const line = lines.find((one): one is CallLine => one.actor === 'deputy' && one.deputy === deputyId);
  if (!line) return undefined;
  return (
    <>
      {inHalfASentence(line, effects)}, <When at={line.at} clock={clock} />
    </>
  );
}

function inHalfASentence(line: CallLine, effects: readonly Effect[]): string {
  const { tool, decision, asked, effect: made } = line;
  if (decision === 'refused')
    return asked ? `Tried to ${domain.act.verb} ${amountsInShort(asked)}` : `Tried to ${withoutCapital(titleOf(tool))}`;
  const effect = made && effects.find(({ id }) => id === made.id);
  const what = effect && made.amounts && domain.effect.brief?.(effect).what;
  if (what !== undefined)
    return capitalised(`${decision === 'asked' ? `${asking(effect)} for` : domain.act.did} ${what}`);
  return capitalised(made ? toldOf(line) : (toolNamed(tool)?.did ?? `used “${titleOf(tool)}”`));
}

/** A question that is over was asked. */
function asking(effect: Effect | undefined): string {
  return effect?.state === WAITING ? 'asks' : 'asked';
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
