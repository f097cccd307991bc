/** Acts of the human: carried out in their object, then the overview, or the page that says why nothing was changed. */
import type { Context } from 'hono';
import { clearGrants } from '../auth/grants.ts';
import { ASSERTION, devicePage, readAssertion } from '../auth/device.tsx';
import { formOf, objectOf, originOf, typedIn } from '../auth/requests.ts';
import type { AppContext, PageEnv } from '../auth/session.ts';
import type { Done, Problem } from '../ledger/acts.ts';
import type { Act } from '../ledger/perform.ts';
import { logError } from '../log.ts';
import { Message } from '../pages/layout.tsx';
import { stoppedInWords } from './approval-words.tsx';
import { accept, type Accepted, type Needed, visitor } from './guard.tsx';

type PageContext = Context<{ Bindings: PageEnv }>;

/** Carries out the act of a form without fields. */
export async function simply(c: PageContext, needed: Needed, act: (form: Accepted) => Act): Promise<Response> {
  const form = await accept(c, needed);
  return form instanceof Response ? form : perform(c, form.userId, act(form));
}

/** Where an act leads: another page than the overview, or what to add to that one's address. */
type Way = { to?: string; query?: (done: Done) => string };

/** Carries out an act, with what a passkey has signed for it, and says what came of it. */
export async function perform(c: PageContext, userId: string, act: Act, way: Way = {}): Promise<Response> {
  const typed = typedIn(await formOf(c));
  const device = readAssertion(typed[ASSERTION] ?? '');
  if (!device && typed[ASSERTION]) return problemPage(c, { problem: 'not_proven' });
  let result: Done | Problem;
  try {
    result = await objectOf(c, userId).act(act, device && { assertion: device, origin: originOf(c) });
  } catch (error) {
    logError('object_unreachable', error);
    return c.html(
      <Message title="No answer came from your ledger" action={{ href: '/deputies', label: 'To your deputies' }}>
        <p>
          <strong>This may or may not have taken effect.</strong> Look at the page of your deputies, and do it again if
          it has not.
        </p>
      </Message>,
      503,
    );
  }
  return finish(c, userId, result, way);
}

/** On to the next page, while grants of dismissed deputies are removed; or the page that says what went wrong. */
export function finish(
  c: PageContext,
  userId: string,
  result: Done | Problem,
  { to, query = () => '' }: Way = {},
): Response | Promise<Response> {
  if ('problem' in result) return result.problem === 'needs_device' ? askDevice(c, result) : problemPage(c, result, to);
  c.executionCtx.waitUntil(clearGrants(c.env.OAUTH_PROVIDER, c.env, userId, result.grants));
  return c.redirect(to ?? `/deputies${query(result)}`, 303);
}

/** The same form once more, for a passkey to sign. */
async function askDevice(c: AppContext, asked: Extract<Problem, { problem: 'needs_device' }>) {
  const session = await visitor(c);
  return session instanceof Response ? session : devicePage(c, session, asked);
}

/** With `again`, the page offers the form once more, as things are now. */
const PROBLEMS: Record<
  Exclude<Problem['problem'], 'needs_device'>,
  { title: string; text: string; status: 403 | 404 | 409; again?: true }
> = {
  unknown_deputy: { title: 'You have no such deputy', text: 'It may be gone since the page was made.', status: 404 },
  ended: {
    title: 'This deputy no longer acts for you',
    text: 'It was dismissed, replaced, or its time is up.',
    status: 409,
  },
  stale: {
    title: 'This was changed after your page was made',
    text: 'Another page, or you, pressed something since. Look at it as it is now, then decide.',
    status: 409,
    again: true,
  },
  above_ceiling: {
    title: 'Your account allows less',
    text: 'The limits of your account were lowered meanwhile. Open the page again.',
    status: 409,
    again: true,
  },
  unknown_approval: {
    title: 'You were not asked that',
    text: 'The address may be mistyped, or be of somebody else, or the question is too long ago.',
    status: 404,
  },
  answered: {
    title: 'This was answered before',
    text: 'Another page of yours, or the end of its time, was first. Look at what came of it.',
    status: 409,
    again: true,
  },
  too_weak: {
    title: 'This needs a surer yes',
    text: 'Open the question again: it says what your yes needs.',
    status: 403,
    again: true,
  },
  changed: {
    title: 'It would be another one now',
    text: 'What it costs or counts as has changed since it was asked. Deny it, and let your deputy ask again.',
    status: 409,
    again: true,
  },
  not_proven: {
    title: 'Your device did not confirm this',
    text: 'What came was not signed by a passkey of yours that counts, for exactly this, on this page. Open the page again and use your device.',
    status: 403,
    again: true,
  },
  stopped: { title: 'A yes changes nothing now', text: '', status: 409, again: true },
  halted: { title: 'The operator has stopped this deputy', text: 'Only the operator can lift that.', status: 409 },
  unknown_passkey: { title: 'You have no such passkey', text: 'Look at those you have, and add one.', status: 404 },
  too_many_passkeys: { title: 'You have ten passkeys', text: 'Remove one that you do not use any more.', status: 409 },
  wider: { title: 'This grants more', text: 'Open the page again and sign in.', status: 409 },
};

export function problemPage(c: AppContext, result: Exclude<Problem, { problem: 'needs_device' }>, back = c.req.path) {
  const { title, text, status, again } = PROBLEMS[result.problem];
  const action = again
    ? { href: back, label: 'Look at it as it is now' }
    : { href: '/deputies', label: 'To your deputies' };
  const why = result.problem === 'stopped' ? `It is stopped, because ${stoppedInWords(result.reason)}.` : text;
  return c.html(
    <Message title={title} action={action}>
      <p>Nothing was changed. {why}</p>
    </Message>,
    status,
  );
}
