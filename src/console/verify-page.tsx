/** What came of verifying the record, and the form to verify it with a head that was kept elsewhere. */
import type { FC } from 'hono/jsx';
import { domain } from '../domain.ts';
import type { Verification } from '../ledger/verify.ts';
import type { Story } from '../ledger/view.ts';
import { Icon } from '../pages/icons.tsx';
import { Notice } from '../pages/layout.tsx';
import { actOf } from './acts-in-words.tsx';
import { capital } from './brake.tsx';
import { Frame, type Looking } from './frame.tsx';
import { amountsInShort, type NameOf, namesOf } from './in-short.tsx';
import { titleOf } from './stream.tsx';

type Holds = Extract<Verification, { ok: true }>;
type Newest = { rows: { sequence: number; hash: string }[]; story: Story };

type Props = Looking & {
  result: Verification;
  newest: Newest;
  expected: { sequence: string; hash: string };
  problem?: string | undefined;
};

export const VerifyPage: FC<Props> = ({ result, newest, expected, problem, ...looking }) => (
  <Frame {...looking} title={titleFor(result)} class="verify">
    <section class="verdict" role="status">
      <svg viewBox="0 0 120 120" aria-hidden="true">
        <circle class={result.ok ? 'star' : 'broken'} cx="60" cy="60" r="58" />
        <circle cx="60" cy="60" r="50" fill="none" stroke="#7d5613" stroke-width="1.5" stroke-dasharray="2 2.2" />
        <use href={result.ok ? '#star' : '#cross'} x="18" y="16" width="84" height="84" />
      </svg>
      <div>
        <h1>{titleFor(result)}</h1>
        {result.ok ? (
          <Holding result={result} isExpected={expected.hash !== '' && problem === undefined} />
        ) : (
          <p>{whyNot(result)}</p>
        )}
      </div>
    </section>
    <Chain newest={newest} broken={result.ok ? undefined : result.sequence} looking={looking} />
    <div class="two">
      {result.ok && <Head result={result} />}
      <form class="sheet deed paper" method="get" action="/deputies/verify">
        <h2>Check against one that you kept</h2>
        <p class="small quiet">If that line still has that hash, nothing up to it was rewritten.</p>
        {problem !== undefined && (
          <Notice kind="no" icon="cross" alert>
            <span id="head-problem">{problem}</span>
          </Notice>
        )}
        <label class="field">
          Line
          <input name="sequence" inputmode="numeric" size={8} value={expected.sequence} />
        </label>
        <label class="field">
          Hash
          <input
            name="hash"
            size={40}
            maxlength={200}
            autocapitalize="none"
            spellcheck={false}
            value={expected.hash}
            {...(problem !== undefined && { 'aria-invalid': 'true', 'aria-describedby': 'head-problem' })}
          />
        </label>
        <div class="keys">
          <button class="key">Check</button>
        </div>
      </form>
    </div>
  </Frame>
);

function titleFor(result: Verification): string {
  if (result.ok) return 'The record holds.';
  return result.tooOld ? 'It holds, but not that far back.' : 'The record does not hold.';
}

const Holding: FC<{ result: Holds; isExpected: boolean }> = ({ result: { lines, holds }, isExpected }) => {
  const { deputies, effects, amounts } = holds;
  const counted = [
    `${deputies} ${deputies === 1 ? 'deputy' : 'deputies'}`,
    `${effects} ${effects === 1 ? domain.act.noun : domain.act.nouns}`,
    ...(effects > 0 ? [amountsInShort(amounts)] : []),
  ];
  return (
    <p>
      The record holds together: {lines.toLocaleString('en')} {lines === 1 ? 'line' : 'lines'}, none missing, none
      changed, and played back they give what is stored: {counted.join(', ')}.
      {isExpected && ' The head that you kept is part of it.'}
    </p>
  );
};

function whyNot({ sequence, problem }: Extract<Verification, { ok: false }>): string {
  return `${sequence === undefined ? capital(problem) : `Line ${sequence}: ${problem}`}.`;
}

/** The last links. The one that is broken has no ring to the one before. */
const Chain: FC<{ newest: Newest; broken: number | undefined; looking: Looking }> = ({
  newest: { rows, story },
  broken,
  looking,
}) => {
  const names = namesOf(story.deputies);
  return (
    <ol class="chain" role="list" aria-label="The newest lines" tabindex={0}>
      {rows.map(({ sequence, hash }, index) => (
        <li class={`sheet${index === rows.length - 1 ? ' head' : ''}${sequence === broken ? ' broken' : ''}`}>
          <p class="label">
            <span>line {sequence}</span>
            <Icon of={broken !== undefined && sequence >= broken ? 'cross' : 'check'} />
          </p>
          <p>
            <b>{saidIn(story.lines[index], names, looking)}</b>
          </p>
          <code>{inFours(hash).slice(0, 2).join(' ')}…</code>
        </li>
      ))}
    </ol>
  );
};

function saidIn(line: Story['lines'][number] | undefined, names: NameOf, { clock }: Looking) {
  if (!line) return '';
  if (line.actor !== 'deputy') return actOf(line, (id) => <bdi>{names(id)}</bdi>, clock).text;
  return (
    <>
      <bdi>{names(line.deputy)}</bdi>: {titleOf(line.tool)}
      {line.decision === 'refused' && ', refused'}
    </>
  );
}

const Head: FC<{ result: Holds }> = ({ result: { lines, head } }) => (
  <section class="sheet deed paper">
    <h2>Keep this head somewhere else</h2>
    <p class="small quiet">
      Whoever could rewrite the whole record could rewrite the whole chain. A copy of line {head.sequence} in your notes
      is what they cannot reach.
    </p>
    <p class="hash" role="img" aria-label={`Hash of line ${head.sequence}: ${head.hash}`}>
      {inFours(head.hash).map((four) => (
        <span>{four}</span>
      ))}
    </p>
    <div class="keys">
      <button
        type="button"
        class="key brass"
        data-copy={`${head.sequence} ${head.hash}`}
        aria-label="Copy line and hash"
        hidden
      >
        Copy line and hash
      </button>
      <a class="key" href="/deputies/record.jsonl">
        <Icon of="down" />
        Download all {lines.toLocaleString('en')} lines
      </a>
    </div>
  </section>
);

function inFours(hash: string): string[] {
  return hash.match(/.{4}/g) ?? [];
}
