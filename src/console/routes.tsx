/** /deputies: the human sees and changes what their deputies may do. Never reachable with an MCP token. */
import { Hono } from 'hono';
import { z } from 'zod';
import { AuthkitUnavailableError } from '../auth/authkit.ts';
import { objectOf } from '../auth/requests.ts';
import { type AppContext, lastSignedIn, type PageEnv, signedIn } from '../auth/session.ts';
import { readCeiling, readDuration, readLimits, typedCeiling, typedLimits } from '../authority/form.ts';
import { ceilingOf, valueOf } from '../authority/limits.ts';
import { type Ceiling, isNames, type Limits } from '../authority/terms.ts';
import { readConfig } from '../config.ts';
import { domain } from '../domain.ts';
import { isLive } from '../ledger/view.ts';
import { logError } from '../log.ts';
import { Message } from '../pages/layout.tsx';
import { encodeWatcher, WATCHER_HEADER, WATCHER_URL } from '../watchers.ts';
import { CeilingPage, DeputyPage, ErasePage, ResumePage } from './act-pages.tsx';
import { finish, perform, problemPage, simply } from './acting.tsx';
import { accept, formToken, freshVisitor, looking, visitor, withinPatience } from './guard.tsx';
import { DeputiesPage, EffectsPage } from './list-pages.tsx';
import { BrakePage, OverviewPage } from './overview-page.tsx';
import { profilePages } from './profile-page.tsx';
import { recordPages } from './record-routes.tsx';

export const pages = new Hono<{ Bindings: PageEnv }>();

const count = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const overviewQuery = z.object({
  before: count.optional().catch(undefined),
  deputy: z.string().min(1).max(100).optional().catch(undefined),
  tool: z.string().min(1).max(100).optional().catch(undefined),
  decision: z.enum(['allowed', 'refused']).optional().catch(undefined),
  paused: count.optional().catch(undefined),
  took: z.coerce.number().int().min(0).max(60_000).optional().catch(undefined),
});

pages.get('/', async (c) => {
  const session = await withinPatience(visitor(c)).catch((error: unknown) => brake(c, error));
  if (session instanceof Response) return session;
  const { paused, took, ...search } = overviewQuery.parse(c.req.query());
  const view = await objectOf(c, session.user.userId).look(search);
  // How long it took is known of that very pause only.
  const known = paused !== undefined && paused === view.account.authoritySequence;
  return c.html(
    <OverviewPage
      {...looking(c, session)}
      {...{ view, search }}
      took={known ? took : undefined}
      demoOff={readConfig(c.env).DEMO_TOOLS === 'off'}
    />,
  );
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
  const form = await accept(c, 'brake');
  if (form instanceof Response) return form;
  const { userId, as } = form;
  return perform(c, userId, { do: 'pause', as }, ({ sequence }) => `?paused=${sequence}&took=${Date.now() - start}`);
});
pages.post('/unban', (c) => simply(c, 'valid', () => ({ do: 'unban' })));

// Who opens the address of a form is shown the page that it is on.
pages.get('/pause', (c) => c.redirect('/deputies'));

pages.get('/resume', async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const overview = await objectOf(c, session.user.userId).lookAtOverview();
  // Another page has resumed them, or the address was kept.
  if (overview.account.authority === 'active') return c.redirect('/deputies');
  return c.html(<ResumePage {...looking(c, session)} overview={overview} />);
});
pages.post('/resume', (c) =>
  simply(c, 'confirmed', ({ typed, presence }) => ({
    do: 'resume',
    pause: Number(typed['pause']),
    ...(presence && { presence }),
  })),
);

pages.get('/ceiling', async (c) => {
  const session = await freshVisitor(c);
  if (session instanceof Response) return session;
  const { account } = await objectOf(c, session.user.userId).lookAtOverview();
  return c.html(
    <CeilingPage
      {...looking(c, session)}
      typed={typedCeiling(domain, account.ceiling)}
      version={account.ceilingVersion}
      problems={{}}
    />,
  );
});
pages.post('/ceiling', async (c) => {
  const form = await accept(c, 'fresh');
  if (form instanceof Response) return form;
  // Who names no version has seen no change.
  const version = Number(form.typed['version'] ?? 0);
  const read = readCeiling(domain, form.typed);
  if ('ceiling' in read)
    return perform(c, form.userId, {
      do: 'ceiling',
      ceiling: read.ceiling,
      version,
    });
  const session = await visitor(c);
  if (session instanceof Response) return session;
  return c.html(
    <CeilingPage {...looking(c, session)} {...{ typed: form.typed, version }} problems={read.problems} />,
    400,
  );
});

pages.get('/erase', async (c) => {
  const session = await freshVisitor(c);
  return session instanceof Response ? session : c.html(<ErasePage {...looking(c, session)} />);
});
pages.post('/erase', (c) => simply(c, 'fresh', () => ({ do: 'erase' })));

pages.route('/', recordPages);
pages.route('/profile', profilePages);

pages.get('/all', async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const overview = await objectOf(c, session.user.userId).lookAtOverview();
  return c.html(<DeputiesPage {...looking(c, session)} overview={overview} />);
});

pages.get(`/${domain.act.nouns}`, async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const { before } = overviewQuery.pick({ before: true }).parse(c.req.query());
  const { effects, older } = await objectOf(c, session.user.userId).lookAtEffects(before);
  return c.html(<EffectsPage {...looking(c, session)} {...{ effects, older }} first={before === undefined} />);
});

pages.get('/:id', async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const { deputies, now } = await objectOf(c, session.user.userId).lookAtOverview();
  const deputy = deputies.find(({ deputyId }) => deputyId === c.req.param('id'));
  if (!deputy || !isLive(deputy)) return problemPage(c, deputy ? 'ended' : 'unknown_deputy');
  const { limits, scopes } = deputy.mandate;
  return c.html(
    <DeputyPage
      {...looking(c, session)}
      {...{ deputy, scopes, now }}
      typed={typedLimits(domain, limits)}
      problems={{}}
    />,
  );
});

pages.post('/:id/revoke', (c) => simply(c, 'brake', ({ as }) => ({ do: 'revoke', deputyId: c.req.param('id'), as })));

pages.post('/:id', async (c) => {
  const form = await accept(c, 'valid');
  if (form instanceof Response) return form;
  const { userId, typed } = form;
  const { deputies, account, now } = await objectOf(c, userId).lookAtOverview();
  const deputy = deputies.find(({ deputyId }) => deputyId === c.req.param('id'));
  if (!deputy || !isLive(deputy)) return problemPage(c, deputy ? 'ended' : 'unknown_deputy');
  const scopes = form.ticked;
  const limits = readLimits(domain, typed, boundsOf(deputy.mandate.limits, account.ceiling));
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

/** A limit from before the ceiling was lowered may stay as it is; the ceiling binds it all the same. */
function boundsOf(current: Limits, ceiling: Ceiling): Ceiling {
  return Object.fromEntries(
    Object.entries(domain.limits).flatMap(([name, limit]) =>
      isNames(limit) ? [] : [[name, Math.max(ceilingOf(ceiling, name, limit), valueOf(current, name, limit))]],
    ),
  );
}

/** While WorkOS cannot say who this is, the brake still works, and nothing else is shown. */
async function brake(c: AppContext, error: unknown): Promise<Response> {
  const last = error instanceof AuthkitUnavailableError ? await lastSignedIn(c) : undefined;
  if (!last) throw error;
  logError('authkit_unavailable', error);
  const { account } = await objectOf(c, last.userId).lookAtOverview();
  return c.html(<BrakePage token={formToken(c, last.sessionId)} paused={account.authority === 'paused'} />, 502);
}
