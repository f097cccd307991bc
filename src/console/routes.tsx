/** /deputies: the human sees and changes what their deputies may do. Never reachable with an MCP token. */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { AuthkitUnavailableError } from '../auth/authkit.ts';
import { clearGrants } from '../auth/grants.ts';
import { objectOf } from '../auth/requests.ts';
import { type AppContext, lastSignedIn, type PageEnv, signedIn } from '../auth/session.ts';
import type { Act, Done, Problem } from '../authority/acts.ts';
import { readCeiling, readDuration, readLimits, readScopes, typedCeiling, typedLimits } from '../authority/blanks.ts';
import { isLive } from '../authority/view.ts';
import { logError } from '../log.ts';
import { Message } from '../pages/layout.tsx';
import { TOOLS } from '../tools/registry.ts';
import { encodeWatcher, WATCHER_HEADER, WATCHER_URL } from '../watchers.ts';
import { accept, formToken, freshVisitor, looking, type Needed, visitor, withinPatience } from './guard.tsx';
import { CeilingPage, DeputyPage, ErasePage, ResumePage } from './act-pages.tsx';
import { DeputiesPage, OrdersPage } from './list-pages.tsx';
import { BrakePage, OverviewPage } from './overview-page.tsx';
import { recordPages } from './record-routes.tsx';

export const pages = new Hono<{ Bindings: PageEnv }>();

pages.get('/', async (c) => {
  const session = await withinPatience(visitor(c)).catch((error: unknown) => brake(c, error));
  if (session instanceof Response) return session;
  const { paused, took, ...search } = overviewQuery.parse(c.req.query());
  const view = await objectOf(c, session.user.userId).look(search);
  const shown = { view, search, tools: TOOLS.map(({ name }) => name) };
  // How long it took is known of that very pause only.
  const known = paused !== undefined && paused === view.account.authoritySequence;
  return c.html(<OverviewPage {...looking(c, session)} {...shown} took={known ? took : undefined} />);
});

/** An open page follows the record. The object gets a request of our own, which says whose page this is. */
pages.get('/live', async (c) => {
  if (c.req.header('Upgrade')?.toLowerCase() !== 'websocket') {
    return c.html(
      <Message title="This address is for the page itself" action={{ href: '/deputies', label: 'To your deputies' }}>
        <p>It takes WebSockets only.</p>
      </Message>,
      426,
    );
  }
  const session = await signedIn(c);
  if (!session) return c.text('Sign in first.', 401);
  const { sessionId, validUntil, user } = session;
  const watcher = encodeWatcher({ userId: user.userId, sessionId, until: validUntil });
  const headers = { Upgrade: 'websocket', [WATCHER_HEADER]: watcher };
  const { webSocket } = await objectOf(c, user.userId).fetch(WATCHER_URL, { headers });
  // A new response, because the headers of pages are added to it.
  return new Response(null, { status: 101, webSocket });
});

pages.post('/pause', async (c) => {
  const start = Date.now();
  const form = await accept(c, 'valid');
  if (form instanceof Response) return form;
  return perform(c, form.userId, { do: 'pause' }, ({ sequence, already }) =>
    already ? '' : `?paused=${sequence}&took=${Date.now() - start}`,
  );
});
// Who opens the address of a form is shown the page that it is on.
pages.get('/pause', (c) => c.redirect('/deputies'));

pages.get('/resume', async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const standing = await objectOf(c, session.user.userId).lookAtStanding();
  // Somebody has resumed meanwhile, or the address was kept.
  if (standing.account.authority === 'active') return c.redirect('/deputies');
  return c.html(<ResumePage {...looking(c, session)} standing={standing} />);
});
pages.post('/resume', (c) => simply(c, 'confirmed', { do: 'resume' }));

pages.get('/ceiling', async (c) => {
  const session = await freshVisitor(c);
  if (session instanceof Response) return session;
  const { account } = await objectOf(c, session.user.userId).lookAtStanding();
  return c.html(<CeilingPage {...looking(c, session)} typed={typedCeiling(account.ceiling)} problems={{}} />);
});
pages.post('/ceiling', async (c) => {
  const form = await accept(c, 'fresh');
  if (form instanceof Response) return form;
  const read = readCeiling(form.typed);
  if ('ceiling' in read) return perform(c, form.userId, { do: 'ceiling', ceiling: read.ceiling });
  const session = await visitor(c);
  if (session instanceof Response) return session;
  return c.html(<CeilingPage {...looking(c, session)} typed={form.typed} problems={read.problems} />, 400);
});

pages.get('/erase', async (c) => {
  const session = await freshVisitor(c);
  return session instanceof Response ? session : c.html(<ErasePage {...looking(c, session)} />);
});
pages.post('/erase', (c) => simply(c, 'fresh', { do: 'erase' }));

const count = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const overviewQuery = z.object({
  before: count.optional().catch(undefined),
  deputy: z.string().min(1).max(100).optional().catch(undefined),
  tool: z.string().min(1).max(100).optional().catch(undefined),
  decision: z.enum(['allowed', 'refused']).optional().catch(undefined),
  paused: count.optional().catch(undefined),
  took: z.coerce.number().int().min(0).max(60_000).optional().catch(undefined),
});

pages.route('/', recordPages);

pages.get('/all', async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const standing = await objectOf(c, session.user.userId).lookAtStanding();
  return c.html(<DeputiesPage {...looking(c, session)} standing={standing} />);
});

pages.get('/orders', async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const { before } = overviewQuery.pick({ before: true }).parse(c.req.query());
  const { orders, older } = await objectOf(c, session.user.userId).lookAtOrders(before);
  return c.html(<OrdersPage {...looking(c, session)} {...{ orders, older }} first={before === undefined} />);
});

pages.get('/:id', async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const { deputies, now } = await objectOf(c, session.user.userId).lookAtStanding();
  const deputy = deputies.find(({ deputyId }) => deputyId === c.req.param('id'));
  if (!deputy || !isLive(deputy)) return problemPage(c, deputy ? 'ended' : 'unknown_deputy');
  const { limits, scopes } = deputy.mandate;
  return c.html(
    <DeputyPage {...looking(c, session)} {...{ deputy, scopes, now }} typed={typedLimits(limits)} problems={{}} />,
  );
});

pages.post('/:id/revoke', (c) => simply(c, 'valid', { do: 'revoke', deputyId: c.req.param('id') }));

pages.post('/:id', async (c) => {
  const form = await accept(c, 'valid');
  if (form instanceof Response) return form;
  const { userId, typed } = form;
  const { deputies, account, now } = await objectOf(c, userId).lookAtStanding();
  const deputy = deputies.find(({ deputyId }) => deputyId === c.req.param('id'));
  if (!deputy || !isLive(deputy)) return problemPage(c, deputy ? 'ended' : 'unknown_deputy');
  const scopes = readScopes(form.ticked);
  // A mandate from before the ceiling was lowered may stay as it is; the ceiling binds it all the same.
  const { shirtsPerDay, spendPerDay } = deputy.mandate.limits;
  const limits = readLimits(typed, {
    shirtsPerDay: Math.max(account.ceiling.shirtsPerDay, shirtsPerDay),
    spendPerDay: Math.max(account.ceiling.spendPerDay, spendPerDay),
  });
  const duration = typed['until'] === 'keep' ? undefined : readDuration(typed['until']);
  if ('problems' in limits || typeof duration === 'object') {
    const session = await visitor(c);
    if (session instanceof Response) return session;
    const problems = {
      ...('problems' in limits && limits.problems),
      ...(typeof duration === 'object' && duration.problems),
    };
    return c.html(<DeputyPage {...looking(c, session)} {...{ deputy, scopes, typed, problems, now }} />, 400);
  }
  const amendment = {
    deputyId: deputy.deputyId,
    version: Number(typed['version']),
    scopes,
    limits: limits.limits,
    expiresAt: duration === undefined ? undefined : now + duration,
  };
  const narrowed = await objectOf(c, userId).act({ do: 'amend', amendment, narrowOnly: true });
  if (!('problem' in narrowed && narrowed.problem === 'wider')) return finish(c, userId, narrowed);
  // Granting more takes a session that WorkOS confirms now; the form is the same one.
  const confirmed = await accept(c, 'confirmed');
  if (confirmed instanceof Response) return confirmed;
  return perform(c, confirmed.userId, { do: 'amend', amendment, narrowOnly: false });
});

/** While WorkOS cannot say who this is, the brake still works, and nothing else is shown. */
async function brake(c: AppContext, error: unknown): Promise<Response> {
  const last = error instanceof AuthkitUnavailableError ? await lastSignedIn(c) : undefined;
  if (!last) throw error;
  const { account } = await objectOf(c, last.userId).lookAtStanding();
  return c.html(<BrakePage token={formToken(c, last.sessionId)} paused={account.authority === 'paused'} />, 502);
}

type PageContext = Context<{ Bindings: PageEnv }>;

/** A form with one button. */
async function simply(c: PageContext, needed: Needed, act: Act): Promise<Response> {
  const form = await accept(c, needed);
  return form instanceof Response ? form : perform(c, form.userId, act);
}

async function perform(c: PageContext, userId: string, act: Act, query?: (done: Done) => string): Promise<Response> {
  let result: Done | Problem;
  try {
    result = await objectOf(c, userId).act(act);
  } catch (error) {
    logError('object_unreachable', error);
    return c.html(
      <Message title="No answer came from your record" action={{ href: '/deputies', label: 'To your deputies' }}>
        <p>
          <strong>This may or may not have taken effect.</strong> Look at the page of your deputies, and do it again if
          it has not.
        </p>
      </Message>,
      503,
    );
  }
  return finish(c, userId, result, query);
}

/** Back to the overview, with grants of dismissed deputies cleaned up behind; or the page that says what went wrong. */
function finish(
  c: PageContext,
  userId: string,
  result: Done | Problem,
  query: (done: Done) => string = () => '',
): Response | Promise<Response> {
  if ('problem' in result) return problemPage(c, result.problem);
  c.executionCtx.waitUntil(clearGrants(c.env.OAUTH_PROVIDER, c.env, userId, result.grants));
  return c.redirect(`/deputies${query(result)}`, 303);
}

/** With `again`, the address of the form shows what it is about as it is now. */
const PROBLEMS: Record<Problem['problem'], { title: string; text: string; status: 404 | 409; again?: true }> = {
  unknown_deputy: { title: 'You have no such deputy', text: 'It may be gone since the page was made.', status: 404 },
  ended: {
    title: 'This deputy no longer acts for you',
    text: 'It was dismissed, replaced, or its time is up.',
    status: 409,
  },
  stale: {
    title: 'This mandate was changed meanwhile',
    text: 'Another page changed it after yours was made. Look at it as it is now, then change it.',
    status: 409,
    again: true,
  },
  above_ceiling: {
    title: 'Your account allows less',
    text: 'The limits of your account were lowered meanwhile. Open the page again.',
    status: 409,
    again: true,
  },
  wider: { title: 'This grants more', text: 'Open the page again and sign in.', status: 409 },
};

function problemPage(c: AppContext, problem: Problem['problem']) {
  const { title, text, status, again } = PROBLEMS[problem];
  const action = again
    ? { href: c.req.path, label: 'Look at it as it is now' }
    : { href: '/deputies', label: 'To your deputies' };
  return c.html(
    <Message title={title} action={action}>
      <p>Nothing was changed. {text}</p>
    </Message>,
    status,
  );
}
