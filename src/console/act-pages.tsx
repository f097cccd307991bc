/** The pages that an act needs: change or dismiss a deputy, resume, the account's limits, erase. */
import type { FC } from 'hono/jsx';
import type { Problems, Typed } from '../authority/form.ts';
import { latestEnd } from '../authority/mandate.ts';
import { partsOf, sentenceOf } from '../authority/words.ts';
import { domain } from '../domain.ts';
import { shownAs } from '../edge/client-document.ts';
import { type DeputyView, isLive, type Overview } from '../ledger/view.ts';
import { Blanks, Piece, Powers, ProblemList } from '../pages/mandate-form.tsx';
import { Publisher } from '../pages/publisher.tsx';
import { toMinute } from '../text.ts';
import { Frame, type Looking, Post } from './frame.tsx';

export const DeputyPage: FC<
  Looking & { deputy: DeputyView; typed: Typed; scopes: readonly string[]; problems: Problems; now: number }
> = ({ deputy, typed, scopes, problems, now, ...looking }) => {
  const { name, publisher } = shownAs(deputy);
  const here = `/deputies/${deputy.deputyId}`;
  return (
    <Frame {...looking} title="One deputy">
      <p>
        <strong>
          <bdi>{name}</bdi>
        </strong>
        : {sentenceOf(domain, 'It', deputy.mandate)}
      </p>
      <p class="muted">
        <Publisher of={publisher} />, goes back to <code>{deputy.redirectHost}</code>. Appointed{' '}
        {toMinute(deputy.appointedAt)} UTC.
      </p>
      <Post action={`${here}/revoke`} token={looking.token} class="card">
        <button class="danger">Dismiss this deputy</button>
        <p class="muted">For good: its next call is refused, and it must be appointed anew. What it did stays done.</p>
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
              ends={{ keep: deputy.mandate.expiresAt, latest: latestEnd(Date.parse(deputy.appointedAt)) }}
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

export const ResumePage: FC<Looking & { overview: Overview }> = ({ overview, ...looking }) => (
  <Frame {...looking} title="Let your deputies go on?" authority={overview.account.authority}>
    {overview.account.authority === 'suspended' && overview.account.paused && (
      <p class="warning">
        <strong>You have paused them as well.</strong> This lifts the suspension alone; they stay paused.
      </p>
    )}
    <p>From then on these may act for you again, each within its mandate:</p>
    <ul>
      {overview.deputies.filter(isLive).map((deputy) => (
        <li>
          <bdi>{shownAs(deputy).name}</bdi>: {sentenceOf(domain, 'It', deputy.mandate)}
        </li>
      ))}
    </ul>
    <Post action="/deputies/resume" token={looking.token} class="actions">
      {/* The pause or suspension that is shown here. Another one, later, is not lifted by this form. */}
      <input type="hidden" name="pause" value={String(overview.account.authoritySequence ?? '')} />
      <button class="primary">Resume every deputy</button>
      <a class="button" href="/deputies">
        Keep them paused
      </a>
    </Post>
  </Frame>
);

/** `version` is that of the limits as they were when the page was made. */
export const CeilingPage: FC<Looking & { typed: Typed; version: number; problems: Problems }> = ({
  typed,
  version,
  problems,
  ...looking
}) => (
  <Frame {...looking} title="The limits of your account">
    <p>They bind all your deputies together, dismissed ones included, whatever each mandate says.</p>
    <Post action="/deputies/ceiling" token={looking.token}>
      <input type="hidden" name="version" value={String(version)} />
      <fieldset>
        <legend>Over all deputies</legend>
        <p class="blanks">
          {partsOf(domain, domain.ceiling, () => 0).map((part) => (
            <Piece part={part} typed={typed} problems={problems} />
          ))}
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
      This deletes your deputies, their mandates, your {domain.act.nouns} and their copies, what you keep for deputies
      to read, and the record of what happened. Every deputy must be appointed anew. What was done stays done. A pause
      and the limits of your account stay as they are. Nobody can undo it.
    </p>
    <Post action="/deputies/erase" token={looking.token} class="actions">
      <button class="danger">Delete everything</button>
      <a class="button" href="/deputies">
        Keep it
      </a>
    </Post>
  </Frame>
);
