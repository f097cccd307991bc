/** Consent: the human reads who asks, says what the deputy may do and how much, and so appoints it. */
import { AuthorizationError } from '@cloudflare/workers-oauth-provider';
import { z } from 'zod';
import { readDuration, readGrade, readLimits, typedDefaults } from '../authority/form.ts';
import { newMandate } from '../authority/mandate.ts';
import type { Props } from '../deputy.ts';
import { digestOf } from '../canonical.ts';
import { domain } from '../domain.ts';
import { addressOfAnswer } from '../edge/as-clients-send.ts';
import type { Answer } from '../ledger/once.ts';
import type { Signed } from '../ledger/passkeys.ts';
import type { ConsentView } from '../ledger/view.ts';
import { CONSENT_MS } from '../lifetimes.ts';
import { Message } from '../pages/layout.tsx';
import { clockOf } from '../pages/when.tsx';
import { ConsentPage } from './consent-page.tsx';
import { ASSERTION, devicePage, readAssertion } from './device.tsx';
import { addressOfError, authRequestOf } from './auth-request.ts';
import { signInPath, unpackedFrom } from './packed-request.ts';
import { once } from './once.ts';
import { presenceOf } from './presence.ts';
import { formOf, hereOf, objectOf, originOf, redirectOut, typedIn } from './requests.ts';
import type { SignIn } from './sealed-session.ts';
import { type AppContext, lastSignedIn, signedIn, signedInFreshly } from './session.ts';

/** GET /authorize: the page, once the human is signed in. */
export async function showConsent(c: AppContext): Promise<Response> {
  const unpacked = await unpackedFrom(new URL(c.req.url));
  if (unpacked) return c.redirect(unpacked.href);
  const oauth = c.env.OAUTH_PROVIDER;
  const request = await authRequestOf(c, c.req.raw);
  const session = await signedIn(c);
  const here = hereOf(c);
  if (!session) return c.redirect(await signInPath(c));
  const details = await oauth.describeConsent(request);
  const known = await objectOf(c, session.user.userId).lookForConsent(details);
  const { handle, headers } = await oauth.beginConsent(request);
  // The page's own policy, set for every page, is stricter than the helper's.
  for (const cookie of headers.getSetCookie()) c.header('Set-Cookie', cookie, { append: true });
  // The rest is offered unticked: what a client did not ask for, a human must not give it by mistake.
  const form = {
    scopes: request.scope,
    typed: typedDefaults(domain, known.ceiling),
    replaces: [],
    problems: {},
  };
  const { user } = session;
  const clock = clockOf(c.req.raw);
  return c.html(<ConsentPage {...{ user, details, here, handle, known, form, clock }} shown={clock.now} />);
}

const several = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((value) => (value === undefined ? [] : [value].flat()), z.array(item));

const consentForm = z.object({
  handle: z.string(),
  user: z.string(),
  /** When the page was made, in milliseconds since the epoch. It chooses words only: the handle ends by itself. */
  shown: z.coerce.number().default(() => Date.now()),
  /** Of a page that a person had in front of them: see static/consent.js. */
  read: z.string().optional(),
  decision: z.enum(['allow', 'deny']),
  scope: several(z.enum(Object.keys(domain.powers))),
  replaces: several(z.string().max(100)),
});

/** POST /authorize: Allow or Deny. */
export async function answerConsent(c: AppContext): Promise<Response> {
  const here = hereOf(c);
  const fields = await formOf(c);
  const parsed = consentForm.safeParse(fields);
  if (!parsed.success)
    return notGranted(c, 'This form was incomplete', 'Say what the deputy may do, then press Allow or Deny.');
  const { handle, user: shownTo, shown, read, decision, scope, replaces } = parsed.data;
  const oauth = c.env.OAUTH_PROVIDER;
  if (Date.now() - shown >= CONSENT_MS)
    return notGranted(c, 'This page is too old', 'It could be answered for ten minutes.');
  if (decision === 'deny') {
    const deny = async () => {
      const { request, headers } = await oauth.denyConsent(c.req.raw, handle);
      const redirectTo = addressOfError(request, 'access_denied', 'The user did not appoint this client');
      return { redirectTo, headers };
    };
    const holder = await lastSignedIn(c);
    if (holder?.userId === shownTo) return leaveOnce(c, holder, handle, fields, deny);
    // In a browser that is not theirs any more, nobody can have allowed it at the same time.
    const { redirectTo, headers } = await deny();
    return redirectOut(c, redirectTo, headers);
  }

  // Every browser says that a person's window is asking; what says nothing of it is a program, whose clicks nobody steals.
  const unread = c.req.header('Sec-Fetch-Mode') === 'navigate' && read?.trim().toLowerCase() !== 'yes';

  // Appointing grants power, so WorkOS confirms now that the session stands.
  const session = await signedInFreshly(c);
  if (!session) return c.redirect(await signInPath(c), 303);
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
  const details = await oauth.describeConsent(asked);
  const known = await object.lookForConsent(details);
  const typed = typedIn(fields);
  const limits = readLimits(domain, typed, known.ceiling);
  const duration = readDuration(typed['until']);
  if (unread || 'problems' in limits || typeof duration !== 'number') {
    const problems = {
      ...('problems' in limits && limits.problems),
      ...(typeof duration !== 'number' && duration.problems),
    };
    const form = { scopes: scope, typed, replaces, problems, unread };
    const clock = clockOf(c.req.raw);
    return c.html(<ConsentPage {...{ user, details, here, handle, known, form, shown, clock }} />, 400);
  }

  const granted = { scopes: scope, limits: limits.limits, approval: readGrade(typed['approval']) };
  const mandate = newMandate(domain, { ...granted, expiresAt: Date.now() + duration });
  const device = await deviceFor(c, session, known, { deputy: 'new', handle, typed, scope, replaces });
  if (device instanceof Response) return device;
  const acting = new Set(known.deputies.map((deputy) => deputy.deputyId));
  const holder = { userId: user.userId, sessionId: session.sessionId };
  return leaveOnce(c, holder, handle, fields, async () => {
    const { request, headers } = await oauth.approveConsent(c.req.raw, handle, { scope: [...mandate.scopes] });
    const { clientName, clientDomain, redirectHost } = await oauth.describeConsent(request);
    const deputyId = `dep_${crypto.randomUUID()}`;
    const { redirectTo } = await oauth.completeAuthorization({
      request,
      userId: user.userId,
      scope: request.scope,
      metadata: { deputyId },
      props: { ...user, deputyId } satisfies Props,
      // A second laptop is a second deputy; the human decides which ones stay.
      revokeExistingGrants: false,
    });
    const appointment = {
      deputyId,
      clientId: request.clientId,
      clientName,
      ...(clientDomain && { clientDomain }),
      redirectHost,
      mandate,
      replaces: replaces.filter((id) => acting.has(id)),
    };
    const { redirectUri, state, issuer } = request;
    const code = new URL(redirectTo).searchParams.get('code') ?? undefined;
    return {
      redirectTo: addressOfAnswer(redirectUri, { code, state, iss: issuer }),
      headers,
      appointment,
      recordId: known.recordId,
      presence: presenceOf(session),
      ...device,
    };
  });
}

/**
 * What a passkey has signed for this page, where the human wants one for what grants more; else the page that asks for it,
 * with the same form.
 */
async function deviceFor(
  c: AppContext,
  session: SignIn,
  { guarded: since, recordId: record, passkeys }: ConsentView,
  { typed, ...what }: { typed: Record<string, string> } & Record<string, unknown>,
): Promise<{ agreed?: string; signed?: Signed } | Response> {
  if (since === 0) return {};
  const { userId } = session.user;
  const { [ASSERTION]: assertion, ...said } = typed;
  const agreed = digestOf({ human: userId, record, since, act: 'appoint', ...what, typed: said });
  if (!assertion) return devicePage(c, session, { challenge: agreed, allow: passkeys });
  const read = readAssertion(assertion);
  const signed = read && (await objectOf(c, userId).prove(read, originOf(c)));
  if (signed?.challenge === agreed) return { agreed, signed };
  return notGranted(c, 'Your device did not confirm this', 'Show the page again, and use your device.');
}

/**
 * Leads to where the first answer to this page has led. A repetition is the same form in the same session: a second
 * click, or one after the way back. Throws AuthorizationError when the page was answered otherwise before.
 */
async function leaveOnce(
  c: AppContext,
  { userId, sessionId }: { userId: string; sessionId: string },
  handle: string,
  fields: unknown,
  answer: () => Promise<Omit<Answer, 'text'> & { redirectTo: string; headers: Headers }>,
): Promise<Response> {
  let cookies = new Headers();
  const first = await once(c.env, { userId, secret: handle, words: [sessionId, fields] }, async () => {
    const { redirectTo, headers, ...facts } = await answer();
    cookies = headers;
    return { text: redirectTo, ...facts };
  });
  if (first) return redirectOut(c, first.text, cookies);
  throw new AuthorizationError('invalid_request', { description: 'You have answered this page before, and otherwise' });
}

function notGranted(c: AppContext, title: string, why: string): Response | Promise<Response> {
  return c.html(
    <Message title={title} action={{ href: hereOf(c), label: 'Show the page again' }}>
      <p>Nothing was granted. {why}</p>
    </Message>,
    400,
  );
}
