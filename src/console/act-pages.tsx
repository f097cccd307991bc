/** The pages behind the overview: change or dismiss a deputy, resume, the account's limits, erase, verify. */
import type { FC } from 'hono/jsx';
import type { Problems, Typed } from '../authority/blanks.ts';
import { LONGEST, sentenceOf } from '../authority/mandate.ts';
import type { Verification } from '../authority/record.ts';
import { type DeputyView, isLive, type Standing } from '../authority/view.ts';
import { Blank, Blanks, Powers, ProblemList } from '../pages/mandate-form.tsx';
import { Publisher } from '../pages/publisher.tsx';
import { displayName, minute } from '../text.ts';
import { Frame, type Looking, Post } from './frame.tsx';

export const DeputyPage: FC<
  Looking & { deputy: DeputyView; typed: Typed; scopes: readonly string[]; problems: Problems; now: number }
> = ({ deputy, typed, scopes, problems, now, ...looking }) => {
  const name = displayName(deputy.clientName);
  const here = `/deputies/${deputy.deputyId}`;
  return (
    <Frame {...looking} title="One deputy">
      <p>
        <strong>
          <bdi>{name}</bdi>
        </strong>
        : {sentenceOf('It', deputy.mandate)}
      </p>
      <p class="muted">
        <Publisher domain={deputy.clientDomain} />, goes back to <code>{deputy.redirectHost}</code>. Appointed{' '}
        {minute(deputy.appointedAt)} UTC.
      </p>
      <Post action={`${here}/revoke`} token={looking.token} class="card">
        <button class="danger">Dismiss this deputy</button>
        <p class="muted">
          For good: its next call is refused, and it must be appointed anew. What it bought stays bought.
        </p>
      </Post>
      {deputy.status === 'active' && (
        <>
          <h2>Change its mandate</h2>
          <Post action={here} token={looking.token}>
            <input type="hidden" name="version" value={String(deputy.mandate.version)} />
            <Powers offered={deputy.scopes} ticked={scopes} />
            <Blanks
              typed={typed}
              problems={problems}
              now={now}
              ends={{ keep: deputy.mandate.expiresAt, latest: Date.parse(deputy.appointedAt) + LONGEST }}
            />
            <div class="actions">
              <button class="primary">Change the mandate</button>
              <a class="button" href="/deputies">
                Leave it
              </a>
            </div>
          </Post>
        </>
      )}
    </Frame>
  );
};

export const ResumePage: FC<Looking & { standing: Standing }> = ({ standing, ...looking }) => (
  <Frame {...looking} title="Let your deputies go on?" paused>
    <p>From then on these may act for you again, each within its mandate:</p>
    <ul>
      {standing.deputies.filter(isLive).map((deputy) => (
        <li>
          <bdi>{displayName(deputy.clientName)}</bdi>: {sentenceOf('It', deputy.mandate)}
        </li>
      ))}
    </ul>
    <Post action="/deputies/resume" token={looking.token} class="actions">
      <button class="primary">Resume every deputy</button>
      <a class="button" href="/deputies">
        Keep them paused
      </a>
    </Post>
  </Frame>
);

export const CeilingPage: FC<Looking & { typed: Typed; problems: Problems }> = ({ typed, problems, ...looking }) => (
  <Frame {...looking} title="The limits of your account">
    <p>They bind all your deputies together, dismissed ones included, whatever each mandate says.</p>
    <Post action="/deputies/ceiling" token={looking.token}>
      <fieldset>
        <legend>In any 24 hours</legend>
        <p class="blanks">
          All deputies together may order up to <Blank name="shirtsPerDay" typed={typed} problems={problems} /> for{' '}
          <Blank name="spendPerDay" typed={typed} problems={problems} />.
        </p>
        <ProblemList problems={problems} />
      </fieldset>
      <div class="actions">
        <button class="primary">Set these limits</button>
        <a class="button" href="/deputies">
          Leave them
        </a>
      </div>
    </Post>
  </Frame>
);

export const ErasePage: FC<Looking> = (looking) => (
  <Frame {...looking} title="Delete your data?">
    <p>
      This deletes your deputies, their mandates, your orders and their copies, and the record of what happened. Every
      deputy must be appointed anew. Orders that were placed are still placed. A pause and the limits of your account
      stay as they are. Nobody can undo it.
    </p>
    <Post action="/deputies/erase" token={looking.token} class="actions">
      <button class="danger">Delete everything</button>
      <a class="button" href="/deputies">
        Keep it
      </a>
    </Post>
  </Frame>
);

export const VerifyPage: FC<
  Looking & { result: Verification; expected: { sequence: string; hash: string }; problem?: string | undefined }
> = ({ result, expected, problem, ...looking }) => (
  <Frame {...looking} title="Verify the record">
    {result.ok ? (
      <div class="card" role="status">
        <p>
          <strong>The record holds together.</strong> {result.lines.toLocaleString('en')} lines, each with the hash of
          the one before; replayed, they give the deputies, mandates and limits that are stored, what was used of them,
          and the number, total and status of each order.
        </p>
        <p>
          Its head is line {result.head.sequence}, <code>{result.head.hash}</code>.
        </p>
      </div>
    ) : (
      <div class="warning" role="alert">
        <p>
          <strong>The record does not hold together.</strong>{' '}
          {result.sequence !== undefined && `Line ${result.sequence}: `}
          {result.problem}.
        </p>
      </div>
    )}
    <p>
      A chain proves nothing against whoever can rewrite all of it. Keep a head somewhere else, and give it here later:
    </p>
    <form method="get" action="/deputies/verify" class="card">
      <p>
        <label>
          Line <input name="sequence" inputmode="numeric" size={8} value={expected.sequence} />
        </label>{' '}
        <label>
          Hash <input name="hash" size={40} maxlength={64} value={expected.hash} />
        </label>
      </p>
      {problem && <p role="alert">{problem}</p>}
      <button>Verify with this head</button>
    </form>
    <a href="/deputies">To your deputies</a>
  </Frame>
);
