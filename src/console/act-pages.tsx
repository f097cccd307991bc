/** The pages that an act needs: one deputy, resume, the account's limits, erase. */
import type { FC } from 'hono/jsx';
import { SIGN_IN } from '../auth/names.ts';
import type { Problems, Typed } from '../authority/form.ts';
import { latestEnd } from '../authority/mandate.ts';
import { partsOf } from '../authority/words.ts';
import { domain } from '../domain.ts';
import { shownAs } from '../edge/client-document.ts';
import { type DeputyView, isLive, type lookAtDeputy, type Overview } from '../ledger/view.ts';
import { Icon } from '../pages/icons.tsx';
import { Notice } from '../pages/layout.tsx';
import { Blanks, Piece, Powers, ProblemList } from '../pages/mandate-form.tsx';
import { GradeChoice } from '../pages/grade-choice.tsx';
import { Publisher } from '../pages/publisher.tsx';
import { When } from '../pages/when.tsx';
import { displayName, isolated } from '../text.ts';
import { OwnBrake, statusOf } from './deputy-card.tsx';
import { Frame, type Looking, Post, type Said } from './frame.tsx';
import { amountsInShort, Deed, gistOf, nameOf, namesOf } from './in-short.tsx';
import { Pips, Ring } from './left.tsx';
import { Stream } from './stream.tsx';

export type Found = NonNullable<ReturnType<typeof lookAtDeputy>>;

type DeputyProps = Looking & {
  found: Found;
  typed: Typed;
  scopes: readonly string[];
  problems: Problems;
  said?: Said;
};

/** The passport of one deputy, what it has left, its terms to change, and what it did last. */
export const DeputyPage: FC<DeputyProps> = ({ found, typed, scopes, problems, said, ...looking }) => {
  const { deputy, now, account, story } = found;
  const name = nameOf(deputy);
  const clock = { ...looking.clock, now };
  const live = isLive(deputy);
  const isStopped = looking.halted || account.authority !== 'active' || deputy.paused !== undefined || !live;
  return (
    <Frame {...looking} title={name} class="passport-page" authority={account.authority} said={said}>
      <Passport found={found} looking={looking} />
      <div class="side">
        {live && (
          <section class="sheet spent" aria-label="Today">
            <Ring deputy={deputy} locked={isStopped} />
            <div>
              <h2>Left today</h2>
              <Pips deputy={deputy} />
              {deputy.left === undefined && <p>It may not {domain.act.verb}.</p>}
              {deputy.freesAt !== undefined && (
                <p class="small quiet">
                  The next ones come back <When at={deputy.freesAt} clock={clock} moment />.
                </p>
              )}
            </div>
          </section>
        )}
        {live && deputy.status === 'active' && (
          <Post action={`/deputies/${deputy.deputyId}`} token={looking.token} class="sheet paper">
            <h2>Change its terms</h2>
            <ProblemList problems={problems} nothing="Nothing was changed yet." />
            <input type="hidden" name="version" value={String(deputy.mandate.version)} />
            <Powers offered={deputy.scopes} ticked={scopes} />
            <Blanks
              typed={typed}
              problems={problems}
              clock={clock}
              ends={{ keep: deputy.mandate.expiresAt, latest: latestEnd(Date.parse(deputy.appointedAt)) }}
            />
            <GradeChoice typed={typed['approval']} />
            <div class="keys">
              <button class="key ink">Sign the new terms</button>
              <a href="/deputies">Leave them</a>
              <span class="small quiet">
                Less takes effect at once. For more, {SIGN_IN} must say that you are still signed in.
              </span>
            </div>
          </Post>
        )}
        <Stream
          story={story}
          clock={clock}
          names={namesOf([deputy, ...story.deputies])}
          label={`What ${isolated(name)} did last`}
        />
      </div>
    </Frame>
  );
};

const Passport: FC<{ found: Found; looking: Looking }> = ({ found: { deputy, now, account }, looking }) => {
  const { deputyId, mandate, appointedAt, redirectHost } = deputy;
  const { name: itsName, publisher } = shownAs(deputy);
  const name = nameOf(deputy);
  const clock = { ...looking.clock, now };
  const status = statusOf(deputy, account.authority);
  const live = isLive(deputy);
  return (
    <article class="sheet deed passport">
      <header class="cover">
        <Icon of="star" class="" />
        <div>
          <h1>
            <bdi>{name}</bdi>
          </h1>
          <p>
            <b>
              Deputy of <bdi>{displayName(looking.user.name)}</bdi>
            </b>
          </p>
        </div>
      </header>
      <div class="paper">
        {status !== '' && (
          <Notice kind="halt" icon={live ? 'pause' : 'stop'}>
            <b>This deputy is {STATUS[status] ?? status}.</b>
          </Notice>
        )}
        <p>
          <Publisher of={publisher} />{' '}
          <span class="small quiet">
            {publisher ? 'proved that the name is its own' : 'Anyone can use this name'}
            {name !== itsName && (
              <>
                . It calls itself <bdi>{itsName}</bdi>
              </>
            )}
          </span>
        </p>
        <p class="said">
          <Deed who={name} mandate={mandate} clock={clock} />
        </p>
        <dl class="pairs">
          <div>
            <dt>Appointed</dt>
            <dd>
              <When at={appointedAt} clock={clock} moment />
            </dd>
          </div>
          <div>
            <dt>Ends</dt>
            <dd>
              <When at={mandate.expiresAt} clock={clock} moment />
            </dd>
          </div>
          <div>
            <dt>Its terms</dt>
            <dd>
              version {mandate.version}
              {mandate.version === 1 && ', as you signed it'}
            </dd>
          </div>
          <div>
            <dt>Back at</dt>
            <dd>{redirectHost}</dd>
          </div>
        </dl>
        <p class="signature">
          <b>
            <bdi>{displayName(looking.user.name)}</bdi>
          </b>
        </p>
        <div class="keys">
          {live && <OwnBrake deputy={deputy} name={name} token={looking.token} />}
          {live && (
            <details class="dismiss">
              <summary class="key red">
                <Icon of="stop" />
                Dismiss…
              </summary>
              <Post action={`/deputies/${deputyId}/revoke`} token={looking.token} class="stack">
                <p class="small">
                  For good. Its next call is refused, and it would have to ask you anew. What it did stays done.
                </p>
                <button class="key red">Dismiss for good</button>
              </Post>
            </details>
          )}
          <details class="dismiss">
            <summary class="key">Name it…</summary>
            <Post action={`/deputies/${deputyId}/name`} token={looking.token} class="stack">
              <label class="field">
                Your own name for it
                <input name="name" maxlength={60} value={deputy.name ?? ''} placeholder={itsName} />
              </label>
              <button class="key">Call it so</button>
            </Post>
          </details>
        </div>
      </div>
      <p class="zone" aria-hidden="true">
        {zoneOf(deputy, looking.user.name)}
      </p>
    </article>
  );
};

const STATUS: Record<string, string> = { 'its time is up': 'at its end: its time is up' };

const filled = (text: string) => text.toUpperCase().replace(/[^A-Z0-9]+/g, '<');

/** "261125". */
function day(at: number): string {
  return new Date(at).toISOString().slice(2, 10).replaceAll('-', '');
}

/** As on a passport, for the eye alone. */
function zoneOf({ deputyId, appointedAt, mandate, clientName, name }: DeputyView, human: string): string {
  const first = `DEPUTY<${filled(human)}<<${filled(name ?? clientName)}`;
  const second = `${filled(deputyId.slice(4, 12))}<${day(Date.parse(appointedAt))}<${day(mandate.expiresAt)}<V${mandate.version}`;
  return [first, second].map((line) => line.slice(0, 36).padEnd(36, '<')).join('\n');
}

/** Who is left out stays paused. */
export const ResumePage: FC<Looking & { overview: Overview }> = ({ overview, ...looking }) => {
  const { account, deputies, live, paused } = overview;
  const shown = deputies.filter(isLive);
  const unseenPaused = paused - shown.filter((deputy) => deputy.paused !== undefined).length;
  const more = [
    [live - shown.length - unseenPaused, 'go on with them'],
    [unseenPaused, 'you paused alone, and that stays'],
  ] as const;
  const names = namesOf(shown);
  const clock = { ...looking.clock, now: overview.now };
  return (
    <Frame {...looking} title="Let them go on?" class="consent" authority={account.authority}>
      <Post action="/deputies/resume" token={looking.token}>
        {/* The pause or suspension that is shown here. Another one, later, is not lifted by this form. */}
        <input type="hidden" name="pause" value={String(account.authoritySequence ?? '')} />
        <div class="asker">
          <h1>Let them go on?</h1>
          <p>Stopping is one key. Going on is a page to read.</p>
          {account.authority === 'suspended' && account.paused && (
            <Notice kind="halt" icon="stop">
              <b>You have stopped them as well.</b> This lifts the suspension alone; they stay stopped.
            </Notice>
          )}
          <p>Whoever you leave out stays paused. Dismiss it if you do not want it back.</p>
        </div>
        <div class="sheet deed paper">
          <fieldset class="stack">
            <legend>These may act for you again</legend>
            {shown.map((deputy) => (
              <label class="tick">
                {deputy.paused === undefined && <input type="hidden" name="shown" value={deputy.deputyId} />}
                <input
                  type="checkbox"
                  name="resume"
                  value={deputy.deputyId}
                  checked={deputy.paused === undefined}
                  disabled={deputy.paused !== undefined}
                />
                <span>
                  <b>
                    <bdi>{names(deputy.deputyId)}</bdi>
                  </b>{' '}
                  <Publisher of={shownAs(deputy).publisher} />
                  <small>
                    {gistOf(deputy.mandate)}, until <When at={deputy.mandate.expiresAt} clock={clock} moment />.
                    {deputy.left && ` It has ${amountsInShort(deputy.left.all)} left.`}
                    {deputy.paused !== undefined && ' You paused it alone, and that stays.'}
                  </small>
                </span>
              </label>
            ))}
            {shown.length === 0 && <p>Nobody acts for you.</p>}
            {more.map(
              ([many, what]) =>
                many > 0 && (
                  <p>
                    And {many} more: {what}.
                  </p>
                ),
            )}
          </fieldset>
        </div>
        <div class="decide">
          <p class="worst">What was done stays done.</p>
          <a class="key" href="/deputies">
            Keep them stopped
          </a>
          <button class="key brass">
            <Icon of="star" />
            Let these go on
          </button>
        </div>
      </Post>
    </Frame>
  );
};

/** `version` is that of the limits as they were when the page was made. */
export const CeilingPage: FC<Looking & { typed: Typed; version: number; problems: Problems; said?: Said }> = ({
  typed,
  version,
  problems,
  said,
  ...looking
}) => (
  <Frame {...looking} title="The limits of your account" class="consent" said={said}>
    <Post action="/deputies/ceiling" token={looking.token}>
      <div class="asker">
        <h1>The limits of your account</h1>
        <p>They bind all your deputies together, dismissed ones included, whatever each mandate says.</p>
      </div>
      <div class="sheet deed paper">
        <ProblemList problems={problems} nothing="Nothing was changed yet." />
        <input type="hidden" name="version" value={String(version)} />
        <fieldset>
          <legend>Over all deputies</legend>
          <p class="blanks">
            {partsOf(domain, domain.ceiling, () => 0).map((part) => (
              <Piece part={part} typed={typed} problems={problems} />
            ))}
          </p>
        </fieldset>
        <p class="signature">
          <b>
            <bdi>{displayName(looking.user.name)}</bdi>
          </b>
          <span>{looking.user.email}</span>
        </p>
      </div>
      <div class="decide">
        <p>Less takes effect at once.</p>
        <a class="key" href="/deputies">
          Leave them
        </a>
        <button class="key ink">Set these limits</button>
      </div>
    </Post>
  </Frame>
);

export const ErasePage: FC<Looking> = (looking) => (
  <Frame {...looking} title="Delete your data?" class="alone">
    <div class="sheet deed paper">
      <h1>Delete your data?</h1>
      <p>
        This deletes your deputies, their mandates, your {domain.act.nouns} and their copies, what you keep for deputies
        to read, and the record of what happened. Every deputy must be appointed anew. What was done stays done. A stop
        and the limits of your account stay as they are. Nobody can undo it.
      </p>
      <Post action="/deputies/erase" token={looking.token} class="keys">
        <button class="key red">
          <Icon of="stop" />
          Delete everything
        </button>
        <a class="key" href="/deputies">
          Keep it
        </a>
      </Post>
    </div>
  </Frame>
);
