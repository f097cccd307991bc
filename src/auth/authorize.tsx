/** Consent: the human reads who asks, says what the deputy may do, and so appoints it. */
import { z } from 'zod';
import { BASE_SCOPE, objectName, type Props, SCOPES } from '../deputy.ts';
import { Message } from '../pages/layout.tsx';
import { ConsentPage } from './consent-page.tsx';
import { formOf, hereOf, loginPath, redirectOut } from './requests.ts';
import { type AppContext, signedIn } from './session.ts';

/** GET /authorize: the page, for whoever is signed in; others sign in first. */
export async function showConsent(c: AppContext): Promise<Response> {
  const oauth = c.env.OAUTH_PROVIDER;
  const request = await oauth.parseAuthRequest(c.req.raw);
  const session = await signedIn(c);
  const here = hereOf(c);
  if (!session) return c.redirect(loginPath(here));
  const details = await oauth.describeConsent(request);
  const { handle, headers } = await oauth.beginConsent(request);
  // The page's own policy, set for every page, is stricter than the helper's.
  for (const cookie of headers.getSetCookie()) c.header('Set-Cookie', cookie, { append: true });
  return c.html(<ConsentPage user={session.user} details={details} here={here} handle={handle} />);
}

const consentForm = z.object({
  handle: z.string(),
  user: z.string(),
  decision: z.enum(['allow', 'deny']),
  scope: z.preprocess((value) => (value === undefined ? [] : [value].flat()), z.array(z.enum(SCOPES))),
});

/** POST /authorize: Allow or Deny. */
export async function answerConsent(c: AppContext): Promise<Response> {
  const oauth = c.env.OAUTH_PROVIDER;
  const here = hereOf(c);
  const parsed = consentForm.safeParse(await formOf(c));
  if (!parsed.success) {
    return c.html(
      <Message title="This form was incomplete" action={{ href: here, label: 'Show the page again' }}>
        <p>Nothing was granted. Open the page again, tick what the deputy may do, and press Allow or Deny.</p>
      </Message>,
      400,
    );
  }
  const { handle, user: shownTo, decision, scope } = parsed.data;
  if (decision === 'deny') {
    const denied = await oauth.denyConsent(c.req.raw, handle, { description: 'The user did not appoint this client' });
    return redirectOut(c, denied.redirectTo, denied.headers);
  }

  const session = await signedIn(c);
  if (!session) return c.redirect(loginPath(here), 303);
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

  const { request, headers } = await oauth.approveConsent(c.req.raw, handle, {
    scope: [...new Set([BASE_SCOPE, ...scope])],
  });
  const details = await oauth.describeConsent(request);
  const deputyId = `dep_${crypto.randomUUID()}`;
  await c.env.MCP_OBJECT.getByName(objectName(user.userId)).appoint({
    deputyId,
    clientId: request.clientId,
    clientName: details.clientName,
    ...(details.clientDomain && { clientDomain: details.clientDomain }),
    redirectHost: details.redirectHost,
    scopes: request.scope,
  });
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
