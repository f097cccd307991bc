/** The page of one's deputies: who acts for me, what may they do, what did they do, stop. Plain forms; a script may keep it up to date. */
import type { FC } from 'hono/jsx';
import { SIGN_IN } from '../auth/names.ts';
import { ceilingInWords, moment, reads } from '../authority/words.ts';
import { domain } from '../domain.ts';
import type { Search } from '../ledger/record.ts';
import { type DeputyView, isLive, type View } from '../ledger/view.ts';
import { Layout } from '../pages/layout.tsx';
import { ActivityChart } from './activity-chart.tsx';
import { DeputyCard, DeputyTable, type NameOf, namesOf } from './deputy-card.tsx';
import { Frame, type Looking, Post } from './frame.tsx';
import { EFFECTS_PATH, EFFECTS_TITLE, EffectTable } from './list-pages.tsx';
import { Timeline } from './timeline.tsx';

/** What the page shows before it refers to the page with all of them. */
const [CARDS, ENDED] = [12, 5];

export const OverviewPage: FC<
  Looking & { view: View; search: Search; took?: number | undefined; demoOff: boolean }
> = ({ view, search, took, demoOff, ...looking }) => {
  const { account, deputies, effects, timeline, used, older, head, authorityLine } = view;
  const { authority } = account;
  const live = deputies.filter(isLive);
  const ended = deputies.filter((deputy) => !isLive(deputy));
  const nameOf = namesOf(deputies);
  const [newest] = effects;
  return (
    <Frame
      {...looking}
      title="Your deputies"
      authority={authority}
      live={{
        'data-account': looking.user.userId,
        'data-version': head.hash,
        'data-changes-in': String(view.changesIn ?? ''),
      }}
    >
      <section id="brake" aria-label="Stop and go on">
        {authority !== 'active' && (
          <div class="warning" role="status">
            <p>
              <strong>Every deputy is {authority}</strong>
              {authority === 'paused' && account.authorityAt !== undefined && ` since ${moment(account.authorityAt)}`}.
              {authority === 'paused' && authorityLine !== undefined && (
                <>
                  {' '}
                  It took effect as line {authorityLine} of the record,{' '}
                  {newest ? `after ${domain.act.noun} ${newest.number}` : `before any ${domain.act.noun}`}
                  {took !== undefined && `, ${took} ms after it was asked for`}.
                </>
              )}{' '}
              Deputies that sign in now are {authority} too. Nothing done before is undone.
            </p>
            {authority === 'suspended' && (
              <p>
                {SIGN_IN} said that you were gone, or no longer in your organization. Once you have signed in again, you
                can let them go on.
              </p>
            )}
            <a class="button" href="/deputies/resume">
              Resume…
            </a>
          </div>
        )}
        {!account.paused && (
          <Post action="/deputies/pause" token={looking.token} class="card">
            <button class="danger brake">Pause every deputy</button>
            <p class="muted">Stops them all at once, at their very next call. Nothing already done is undone.</p>
          </Post>
        )}
      </section>
      {view.banned && !demoOff && (
        <Post action="/deputies/unban" token={looking.token} class="warning">
          <p>
            <strong>The demo ban is on.</strong> A deputy has set it, for all of them, and any deputy can lift it. It is
            a switch for the stage, and no pause of yours.
          </p>
          <button>Lift the demo ban</button>
        </Post>
      )}
      <h2>Acting for you</h2>
      {live.length === 0 && (
        <p class="muted">Nobody. Give the address of this server to an MCP client to appoint one.</p>
      )}
      <div class="cards">
        {live.slice(0, CARDS).map((deputy) => (
          <DeputyCard deputy={deputy} authority={authority} name={nameOf(deputy.deputyId)} />
        ))}
      </div>
      {live.length > CARDS && (
        <p>
          And {live.length - CARDS} more: <a href="/deputies/all">every deputy in one table</a>.
        </p>
      )}
      <h2>The last day</h2>
      <ActivityChart activity={view.activity} nameOf={nameOf} />
      <h2>Your account</h2>
      <div class="card">
        <p>
          {ceilingInWords(domain, account.ceiling)} Used:{' '}
          {Object.entries(used)
            .map(([name, amount]) => reads(domain, name, amount))
            .join(', ')}
          .
        </p>
        <a href="/deputies/ceiling">Change these limits</a>
      </div>
      <h2 id={domain.act.nouns}>{EFFECTS_TITLE}</h2>
      {effects.length === 0 && <p class="muted">None yet.</p>}
      {effects.length > 0 && (
        <>
          <EffectTable effects={effects} />
          <a href={EFFECTS_PATH}>Every {domain.act.noun}</a>
        </>
      )}
      <h2 id="record">What happened</h2>
      <Filters {...{ search, deputies, nameOf }} />
      {Object.values(search).some((value) => value !== undefined) && (
        <p class="muted">
          {search.before !== undefined && `Lines before ${search.before}. `}
          <a href="/deputies#record">Show all, from the newest</a>
        </p>
      )}
      {timeline.length === 0 && (
        <p class="muted">{older === undefined ? 'Nothing.' : 'Nothing among the lines looked through so far.'}</p>
      )}
      <Timeline lines={timeline} nameOf={nameOf} now={view.now} />
      {older !== undefined && <a href={`/deputies?${queryOf({ ...search, before: older })}#record`}>Older</a>}
      <p class="muted">
        Times are in UTC. The record stands at line {head.sequence} with the hash <code>{head.hash.slice(0, 16)}…</code>
        .
      </p>
      <div class="actions">
        <a class="button" href="/deputies/verify">
          Verify the record
        </a>
        <a class="button" href="/deputies/record.jsonl">
          Download as JSON lines
        </a>
      </div>
      {ended.length > 0 && (
        <>
          <h2>No longer acting for you</h2>
          <DeputyTable
            deputies={ended.slice(0, ENDED)}
            authority={authority}
            nameOf={nameOf}
            label="No longer acting for you"
          />
          {ended.length > ENDED && <a href="/deputies/all">Every deputy</a>}
        </>
      )}
      <h2>Your data</h2>
      <p>
        <a href="/deputies/erase">Delete everything this server holds about you…</a>
      </p>
    </Frame>
  );
};

/** All that is left while the identity provider cannot be reached: the brake. */
export const BrakePage: FC<{ token: string; paused: boolean }> = ({ token, paused }) => (
  <Layout title={`${SIGN_IN} cannot be reached`}>
    <h1>{SIGN_IN} cannot be reached</h1>
    {paused ? (
      <p class="warning" role="status">
        <strong>Every deputy is paused.</strong> You can resume them once {SIGN_IN} answers again.
      </p>
    ) : (
      <>
        <p>So nothing can be shown or granted now. You can still stop every deputy.</p>
        <Post action="/deputies/pause" token={token} class="card">
          <button class="danger">Pause every deputy</button>
          <p class="muted">It holds until you resume, once {SIGN_IN} answers again.</p>
        </Post>
      </>
    )}
    <a class="button" href="/deputies">
      Try again
    </a>
    <p class="muted">
      If it stays, <a href="/login?return_to=/deputies">sign in again</a>.
    </p>
    <form method="post" action="/logout">
      <button class="link">Sign out</button>
    </form>
  </Layout>
);

/** Which lines to show, as a plain form: it works without script, and its address can be kept. */
const Filters: FC<{ search: Search; deputies: DeputyView[]; nameOf: NameOf }> = ({ search, deputies, nameOf }) => (
  <form id="filters" method="get" action="/deputies#record" class="filters">
    <Choice
      label="Deputy"
      name="deputy"
      chosen={search.deputy}
      offered={[...deputies.map(({ deputyId }) => deputyId), ...(search.deputy ? [search.deputy] : [])].map((id) => [
        id,
        nameOf(id),
      ])}
    />
    <Choice
      label="Tool"
      name="tool"
      chosen={search.tool}
      offered={[...domain.tools.map(({ name }) => name), ...(search.tool ? [search.tool] : [])].map((tool) => [
        tool,
        tool,
      ])}
    />
    <Choice
      label="Decision"
      name="decision"
      chosen={search.decision}
      offered={[
        ['allowed', 'Allowed'],
        ['refused', 'Refused'],
      ]}
    />
    <button>Show these</button>
  </form>
);

/** `offered` are values and how they read. */
const Choice: FC<{ label: string; name: keyof Search; chosen: string | undefined; offered: [string, string][] }> = ({
  label,
  name,
  chosen,
  offered,
}) => (
  <label>
    {label}
    <select name={name}>
      <option value="">All</option>
      {[...new Map(offered)].map(([value, text]) => (
        <option value={value} selected={value === chosen}>
          {text}
        </option>
      ))}
    </select>
  </label>
);

function queryOf(search: Search): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) if (value !== undefined) query.set(name, String(value));
  return query.toString();
}
