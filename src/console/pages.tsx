/** The console's pages: who acts for me, what may they do, what did they do, stop. Plain forms, no script. */
import type { FC, PropsWithChildren } from 'hono/jsx';
import type { Problems, Typed } from '../authority/blanks.ts';
import { leftOf, LONGEST, moment, sentenceOf, shirts } from '../authority/mandate.ts';
import type { Verification } from '../authority/record.ts';
import type { DeputyView, View } from '../authority/view.ts';
import type { User } from '../deputy.ts';
import { Layout } from '../pages/layout.tsx';
import { Blank, Blanks, Powers, ProblemList } from '../pages/mandate-form.tsx';
import { formatPrice } from '../shop/catalog.ts';
import { displayName } from '../text.ts';
import { FORM_TOKEN } from './guard.tsx';
import { Timeline } from './timeline.tsx';

/** What every page of the console needs: who is looking, and the token that its forms carry. */
export type Looking = { user: User; token: string };

const Frame: FC<PropsWithChildren<Looking & { title: string; paused?: boolean }>> = ({
  user,
  title,
  paused,
  children,
}) => (
  <Layout title={paused ? `Paused · ${title}` : title}>
    <div class="account">
      <span>
        <bdi>{displayName(user.name)}</bdi>, {user.email}
      </span>
      <form method="post" action="/logout">
        <input type="hidden" name="return_to" value="/" />
        <button class="link">Sign out</button>
      </form>
    </div>
    <h1>{title}</h1>
    {children}
  </Layout>
);

const Post: FC<PropsWithChildren<{ action: string; token: string; class?: string }>> = ({
  action,
  token,
  children,
  ...rest
}) => (
  <form method="post" action={action} {...rest}>
    <input type="hidden" name={FORM_TOKEN} value={token} />
    {children}
  </form>
);

export const OverviewPage: FC<Looking & { view: View }> = ({ view, ...looking }) => {
  const { account, deputies, orders, timeline, used, older, head } = view;
  const paused = account.authority === 'paused';
  const live = deputies.filter(isLive);
  const ended = deputies.filter((deputy) => !isLive(deputy));
  const [lastOrder] = orders;
  return (
    <Frame {...looking} title="Your deputies" paused={paused}>
      {paused ? (
        <div class="warning" role="status">
          <p>
            <strong>Every deputy is paused</strong>
            {account.authorityAt !== undefined && ` since ${moment(account.authorityAt)}`}. It took effect as line{' '}
            {account.authoritySequence} of the record, {lastOrder ? `after order ${lastOrder.id}` : 'before any order'}.
            Deputies that sign in now are paused too. Nothing bought before is undone.
          </p>
          <a class="button" href="/deputies/resume">
            Resume…
          </a>
        </div>
      ) : (
        <Post action="/deputies/pause" token={looking.token} class="card">
          <button class="danger">Pause every deputy</button>
          <p class="muted">Stops them all at once, at their very next call. Nothing already bought is undone.</p>
        </Post>
      )}
      <h2>Acting for you</h2>
      {live.length === 0 && <p class="muted">Nobody. Give the address of this shop to an MCP client to appoint one.</p>}
      {live.map((deputy) => (
        <Card deputy={deputy} view={view} />
      ))}
      <h2>Your account</h2>
      <div class="card">
        <p>
          All deputies together may order up to {shirts(account.ceiling.shirtsPerDay)} for{' '}
          {formatPrice(account.ceiling.spendPerDay)} in any 24 hours. Used: {used.shirts} for {formatPrice(used.spend)}.
        </p>
        <a href="/deputies/ceiling">Change these limits</a>
      </div>
      <h2>Orders</h2>
      {orders.length === 0 && <p class="muted">None yet.</p>}
      {orders.length > 0 && (
        <table>
          <tr>
            <th>Ordered</th>
            <th>What</th>
            <th>Total</th>
            <th>Status</th>
            <th>Order</th>
          </tr>
          {orders.map((order) => (
            <tr>
              <td>{order.orderDate.slice(0, 16).replace('T', ' ')}</td>
              <td>
                {order.quantity} {order.color} {order.tshirtSize}, <bdi>{order.company}</bdi>
              </td>
              <td>{formatPrice(order.total)}</td>
              <td>{order.status}</td>
              <td>
                <code>{order.id}</code>
              </td>
            </tr>
          ))}
        </table>
      )}
      <h2 id="record">What happened</h2>
      <Timeline lines={timeline} nameOf={namesFrom(deputies)} />
      {older !== undefined && <a href={`/deputies?before=${older}#record`}>Older</a>}
      <p class="muted">
        Times are in UTC. The record stands at line {head.sequence} with the hash <code>{head.hash.slice(0, 16)}…</code>
        .
      </p>
      <div class="actions">
        <a class="button" href="/deputies/verify">
          Verify the record
        </a>
        <a class="button" href="/deputies/record.jsonl">
          Download it
        </a>
      </div>
      {ended.length > 0 && <h2>No longer acting for you</h2>}
      {ended.map((deputy) => (
        <Card deputy={deputy} view={view} />
      ))}
      <h2>Your data</h2>
      <p>
        <a href="/deputies/erase">Delete everything this shop holds about you…</a>
      </p>
    </Frame>
  );
};

/** All that is left while WorkOS cannot be reached: the brake. */
export const BrakePage: FC<{ token: string; paused: boolean }> = ({ token, paused }) => (
  <Layout title="AuthKit cannot be reached">
    <h1>AuthKit cannot be reached</h1>
    {paused ? (
      <p class="warning" role="status">
        <strong>Every deputy is paused.</strong> You can resume them once AuthKit answers again.
      </p>
    ) : (
      <>
        <p>So nothing can be shown or granted now. You can still stop every deputy.</p>
        <Post action="/deputies/pause" token={token} class="card">
          <button class="danger">Pause every deputy</button>
          <p class="muted">It holds until you resume, once AuthKit answers again.</p>
        </Post>
      </>
    )}
    <a class="button" href="/deputies">
      Try again
    </a>
  </Layout>
);

const Card: FC<{ deputy: DeputyView; view: View }> = ({ deputy, view }) => {
  const { deputyId, mandate, used, clientDomain, appointedAt, lastSeen, redirectHost } = deputy;
  const left = leftOf(mandate.limits, used, view.account.ceiling, view.used);
  const paused = view.account.authority === 'paused';
  const live = isLive(deputy);
  return (
    <section class="card">
      <h3>
        <bdi>{displayName(deputy.clientName)}</bdi> <small>{statusOf(deputy, paused)}</small>
      </h3>
      <p>{sentenceOf('It', mandate)}</p>
      {live && mandate.scopes.includes('shop:buy') && (
        <p>
          Left now: {shirts(left.shirts)} and {formatPrice(left.spend)}.
        </p>
      )}
      <p class="muted">
        {clientDomain ? `Published by ${clientDomain}` : 'Published by nobody we could verify'}, goes back to{' '}
        <code>{redirectHost}</code>. Appointed {appointedAt.slice(0, 16).replace('T', ' ')}
        {lastSeen && `, last seen ${lastSeen.slice(0, 16).replace('T', ' ')}`} UTC.
      </p>
      {live && (
        <a href={`/deputies/${deputyId}`} aria-label={`Change or dismiss ${displayName(deputy.clientName)}`}>
          Change or dismiss…
        </a>
      )}
    </section>
  );
};

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

export const ResumePage: FC<Looking & { view: View }> = ({ view, ...looking }) => (
  <Frame {...looking} title="Let your deputies go on?" paused={view.account.authority === 'paused'}>
    <p>From then on these may act for you again, each within its mandate:</p>
    <ul>
      {view.deputies.filter(isLive).map((deputy) => (
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

/** Whether the deputy can act, or is about to. */
export function isLive({ status, expired }: DeputyView): boolean {
  return (status === 'active' || status === 'pending') && !expired;
}

function statusOf({ status, expired }: DeputyView, paused: boolean): string {
  if (expired) return 'expired';
  if (status === 'pending') return 'appointed, not connected yet';
  if (status === 'revoked') return 'dismissed';
  if (status === 'superseded') return 'replaced';
  return paused ? 'paused' : 'active';
}

function namesFrom(deputies: DeputyView[]): (deputyId: string) => string {
  const names = new Map(deputies.map(({ deputyId, clientName }) => [deputyId, displayName(clientName)]));
  return (deputyId) => names.get(deputyId) ?? 'A deputy that is gone';
}
