/** Consent: the human reads who asks, says what the deputy may do and how much, and so appoints it. */
import { z } from 'zod';
import { readDuration, readLimits, typedDefaults } from '../authority/form.ts';
import { newMandate } from '../authority/mandate.ts';
import type { Props } from '../deputy.ts';
import { domain } from '../domain.ts';
import { Message } from '../pages/layout.tsx';
import { ConsentPage } from './consent-page.tsx';
import { authRequestOf } from './auth-request.ts';
import { presenceOf } from './presence.ts';
import { formOf, hereOf, loginPath, objectOf, redirectOut, typedIn } from './requests.ts';
import { type AppContext, signedIn, signedInFreshly } from './session.ts';

/** GET /authorize: the page, once the human is signed in. */
export async function showConsent(c: AppContext): Promise<Response> {
  const oauth = c.env.OAUTH_PROVIDER;
  const request = await authRequestOf(c, c.req.raw);
  const session = await signedIn(c);
  const here = hereOf(c);
  if (!session) return c.redirect(loginPath(here));
  const details = await oauth.describeConsent(request);
  const known = await objectOf(c, session.user.userId).lookForConsent(request.clientId);
  const { handle, headers } = await oauth.beginConsent(request);
  // The page's own policy, set for every page, is stricter than the helper's.
  for (const cookie of headers.getSetCookie()) c.header('Set-Cookie', cookie, { append: true });
  // Everything is ticked to begin with: the limits keep it small, and a deputy that may do nothing is no use.
  const form = {
    scopes: Object.keys(domain.powers),
    typed: typedDefaults(domain, known.ceiling),
    replaces: [],
    problems: {},
  };
  const { user } = session;
  return c.html(<ConsentPage {...{ user, details, here, handle, known, form }} now={Date.now()} />);
}

const several = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((value) => (value === undefined ? [] : [value].flat()), z.array(item));

const consentForm = z.object({
  handle: z.string(),
  user: z.string(),
  decision: z.enum(['allow', 'deny']),
  scope: several(z.enum(Object.keys(domain.powers))),
  replaces: several(z.string().max(100)),
});

/** POST /authorize: Allow or Deny. */
export async function answerConsent(c: AppContext): Promise<Response> {
  const oauth = c.env.OAUTH_PROVIDER;
  const here = hereOf(c);
  const fields = await formOf(c);
  const parsed = consentForm.safeParse(fields);
  if (!parsed.success) {
    return c.html(
      <Message title="This form was incomplete" action={{ href: here, label: 'Show the page again' }}>
        <p>Nothing was granted. Open the page again, say what the deputy may do, and press Allow or Deny.</p>
      </Message>,
      400,
    );
  }
  const { handle, user: shownTo, decision, scope, replaces } = parsed.data;
  if (decision === 'deny') {
    const denied = await oauth.denyConsent(c.req.raw, handle, { description: 'The user did not appoint this client' });
    return redirectOut(c, denied.redirectTo, denied.headers);
  }

  // Appointing grants power, so WorkOS confirms now that the session stands.
  const session = await signedInFreshly(c);
  if (!session) return c.redirect(loginPath(here), 303);
  if (session.impersonator) {
    return c.html(
      <Message title="You are signed in as somebody else">
        <p>Nothing was granted. Only they themselves appoint a deputy.</p>
      </Message>,
      403,
    );
  }
  const { user } = session;
  if (user.userId !== shownTo) {
    return c.html(
      <Message title="You are signed in as somebody else now" action={{ href: here, label: `Go on as ${user.email}` }}>
        <p>
          Nothing was granted: this page was shown to another account of yours. Look at it again before you allow it.
        </p>
      </Message>,
      403,
    );
  }

  // Read before the consent is used up, so that a mistyped blank can be corrected on the same page.
  const object = objectOf(c, user.userId);
  const asked = await authRequestOf(c, new Request(c.req.url));
  const known = await object.lookForConsent(asked.clientId);
  const typed = typedIn(fields);
  const limits = readLimits(domain, typed, known.ceiling);
  const duration = readDuration(typed['until']);
  if ('problems' in limits || typeof duration !== 'number') {
    const problems = {
      ...('problems' in limits && limits.problems),
      ...(typeof duration !== 'number' && duration.problems),
    };
    const details = await oauth.describeConsent(asked);
    const form = { scopes: scope, typed, replaces, problems };
    return c.html(<ConsentPage {...{ user, details, here, handle, known, form }} now={Date.now()} />, 400);
  }

  const mandate = newMandate(domain, { scopes: scope, limits: limits.limits, expiresAt: Date.now() + duration });
  const { request, headers } = await oauth.approveConsent(c.req.raw, handle, { scope: [...mandate.scopes] });
  const details = await oauth.describeConsent(request);
  const deputyId = `dep_${crypto.randomUUID()}`;
  const acting = new Set(known.deputies.map((deputy) => deputy.deputyId));
  const appointment = {
    deputyId,
    clientId: request.clientId,
    clientName: details.clientName,
    ...(details.clientDomain && { clientDomain: details.clientDomain }),
    redirectHost: details.redirectHost,
    mandate,
    replaces: replaces.filter((id) => acting.has(id)),
  };
  await object.appoint(appointment, presenceOf(session));
  const { redirectTo } = await oauth.completeAuthorization({
    request,
    userId: user.userId,
    scope: request.scope,
    metadata: { deputyId },
    props: { ...user, deputyId } satisfies Props,
    // A second laptop is a second deputy; the human decides which ones stay.
    revokeExistingGrants: false,
  });
  return redirectOut(c, redirectTo, headers);
}
