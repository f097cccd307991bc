/** /deputies: the human sees and changes what their deputies may do. Never reachable with an MCP token. */
import { Hono } from 'hono';
import { z } from 'zod';
import { AuthkitUnavailableError } from '../auth/authkit.ts';
import { formOf, objectOf } from '../auth/requests.ts';
import { type AppContext, lastSignedIn, type PageEnv, signedIn } from '../auth/session.ts';
import { readCeiling, readDuration, readGrade, readLimits } from '../authority/form.ts';
import { ceilingOf, valueOf } from '../authority/limits.ts';
import { type Ceiling, isNames, type Limits } from '../authority/terms.ts';
import { domain } from '../domain.ts';
import { isLive } from '../ledger/view.ts';
import { logError } from '../log.ts';
import { Message } from '../pages/layout.tsx';
import { visible } from '../text.ts';
import { encodeWatcher, WATCHER_HEADER, WATCHER_URL } from '../watchers.ts';
import { CeilingPage, DeputyPage, ErasePage, ResumePage } from './act-pages.tsx';
import { finish, perform, problemPage, type Show, simply } from './acting.tsx';
import { BrakePage } from './brake.tsx';
import { accept, formToken, freshVisitor, looking, visitor, withinPatience } from './guard.tsx';
import { approvalPages } from './approval-routes.tsx';
import { DeputiesPage, EffectsPage } from './list-pages.tsx';
import { profilePages } from './profile-page.tsx';
import { recordPages } from './record-routes.tsx';
import { consoleFor, showCeiling, showDeputy } from './show.tsx';

export const pages = new Hono<{ Bindings: PageEnv }>();

const count = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const consoleQuery = z.object({ did: count.optional().catch(undefined) });

pages.get('/', async (c) => {
  const session = await withinPatience(visitor(c)).catch((error: unknown) => brake(c, error));
  if (session instanceof Response) return session;
  return consoleFor(c, session, consoleQuery.parse(c.req.query()));
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
  const answer = await perform(c, userId, { do: 'pause', as });
  const sequence = /did=(\d+)$/.exec(answer.headers.get('Location') ?? '')?.[1];
  if (sequence !== undefined) {
    const took = Date.now() - start;
    // It holds already; what it took is for the pages to show, and is no reason to fail.
    await objectOf(c, userId)
      .tookEffect(Number(sequence), took)
      .catch((error: unknown) => logError('object_unreachable', error));
  }
  return answer;
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
pages.post('/resume', async (c) => {
  const { shown = [], resume = [] } = await formOf(c);
  const ticked = new Set([resume].flat());
  const without = [shown].flat().filter((id) => typeof id === 'string' && !ticked.has(id));
  return simply(c, 'confirmed', ({ typed, presence }) => ({
    do: 'resume',
    pause: Number(typed['pause']),
    without: without.map(String),
    ...(presence && { presence }),
  }));
});

pages.get('/ceiling', async (c) => {
  const session = await freshVisitor(c);
  return session instanceof Response ? session : showCeiling(c);
});
pages.post('/ceiling', async (c) => {
  const form = await accept(c, 'fresh');
  if (form instanceof Response) return form;
  // Who names no version has seen no change.
  const version = Number(form.typed['version'] ?? 0);
  const read = readCeiling(domain, form.typed);
  if ('ceiling' in read) return perform(c, form.userId, { do: 'ceiling', ceiling: read.ceiling, version }, showCeiling);
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
pages.route('/', approvalPages);

const deputiesQuery = z.object({ after: z.string().min(1).max(100).optional().catch(undefined) });

pages.get('/all', async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const { after } = deputiesQuery.parse(c.req.query());
  const found = await objectOf(c, session.user.userId).lookAtDeputies(after);
  return c.html(<DeputiesPage {...looking(c, session)} found={found} first={after === undefined} />);
});

const effectsQuery = z.object({ before: count.optional().catch(undefined) });

pages.get(`/${domain.act.nouns}`, async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const { before } = effectsQuery.parse(c.req.query());
  const found = await objectOf(c, session.user.userId).lookAtEffects(before);
  return c.html(<EffectsPage {...looking(c, session)} {...found} older={found.older} first={before === undefined} />);
});

pages.get('/:id', (c) => showDeputy(c, c.req.param('id')));
// Of a form there.
pages.get('/:id/:act', (c) => c.redirect(`/deputies/${encodeURIComponent(c.req.param('id'))}`));

/** A deputy's own page as it is now, where an act on it was not carried out. */
const onItsPage =
  (deputyId: string): Show =>
  (c, said, status) =>
    showDeputy(c, deputyId, said, status);

pages.post('/:id/revoke', (c) => {
  const deputyId = c.req.param('id');
  return simply(c, 'brake', ({ as }) => ({ do: 'revoke', deputyId, as }), onItsPage(deputyId));
});
pages.post('/:id/pause', (c) => {
  const deputyId = c.req.param('id');
  return simply(c, 'brake', ({ as }) => ({ do: 'pause', deputyId, as }), onItsPage(deputyId));
});
pages.post('/:id/resume', (c) => {
  const deputyId = c.req.param('id');
  return simply(
    c,
    'confirmed',
    ({ typed, presence }) => ({
      do: 'resumeOne',
      deputyId,
      pause: Number(typed['pause']),
      ...(presence && { presence }),
    }),
    onItsPage(deputyId),
  );
});

const MOST_CHARACTERS = 60;

function nameIn(typed = ''): string {
  return Array.from(visible(typed)).slice(0, MOST_CHARACTERS).join('');
}

pages.post('/:id/name', (c) => {
  const deputyId = c.req.param('id');
  return simply(
    c,
    'valid',
    ({ typed }) => ({ do: 'name', deputyId, name: nameIn(typed['name']) }),
    onItsPage(deputyId),
  );
});

pages.post('/:id', async (c) => {
  const form = await accept(c, 'valid');
  if (form instanceof Response) return form;
  const { userId, typed } = form;
  const deputyId = c.req.param('id');
  const show = onItsPage(deputyId);
  const found = await objectOf(c, userId).lookAtDeputy(deputyId);
  if (!found || !isLive(found.deputy)) return problemPage(c, { problem: found ? 'ended' : 'unknown_deputy' }, show);
  const { deputy, account, now } = found;
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
    return c.html(<DeputyPage {...looking(c, session)} {...{ found, scopes, typed, problems }} />, 400);
  }
  const amendment = {
    deputyId,
    version: Number(typed['version']),
    scopes,
    limits: limits.limits,
    approval: readGrade(typed['approval']),
    until: typed['until'],
    expiresAt: duration === undefined ? undefined : now + duration,
  };
  const narrowed = await objectOf(c, userId).act({ do: 'amend', amendment, narrowOnly: true });
  if (!('problem' in narrowed && narrowed.problem === 'wider')) return finish(c, userId, narrowed, show);
  // Granting more takes a session that WorkOS confirms now; the form is the same one.
  const confirmed = await accept(c, 'confirmed');
  if (confirmed instanceof Response) return confirmed;
  return perform(c, confirmed.userId, { do: 'amend', amendment, narrowOnly: false }, show);
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
