/** Acts of the human: carried out in their object, then the console, or the page as it is now with what was not done. */
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
import type { Said } from './frame.tsx';
import { accept, type Accepted, type Needed, visitor } from './guard.tsx';
import { showConsole } from './show.tsx';

export type PageContext = Context<{ Bindings: PageEnv }>;

/** Where an act that could not be carried out leaves the human: on that page, as it is now, with what is said there. */
export type Show = (c: PageContext, said: NonNullable<Said>, status: 403 | 404 | 409) => Promise<Response>;

/** Carries out the act of a form without fields. */
export async function simply(
  c: PageContext,
  needed: Needed,
  act: (form: Accepted) => Act,
  show?: Show,
): Promise<Response> {
  const form = await accept(c, needed);
  return form instanceof Response ? form : perform(c, form.userId, act(form), show);
}

/** Carries out an act, with what a passkey has signed for it, and says what came of it; then leads to `to`, or the console. */
export async function perform(c: PageContext, userId: string, act: Act, show?: Show, to?: string): Promise<Response> {
  const signed = typedIn(await formOf(c))[ASSERTION];
  let result: Done | Problem;
  try {
    result = await objectOf(c, userId).act(
      act,
      signed ? { assertion: readAssertion(signed), origin: originOf(c) } : undefined,
    );
  } catch (error) {
    logError('object_unreachable', error);
    return c.html(
      <Message title="No answer came from your ledger" action={{ href: '/deputies', label: 'To your deputies' }}>
        <p>
          <b>This may or may not have taken effect.</b> Look at the page of your deputies, and do it again if it has
          not.
        </p>
      </Message>,
      503,
    );
  }
  return finish(c, userId, result, show, to);
}

/** On to the next page, which says what was done, while grants of dismissed deputies are removed; or what was not done. */
export async function finish(
  c: PageContext,
  userId: string,
  result: Done | Problem,
  show?: Show,
  to?: string,
): Promise<Response> {
  if ('problem' in result)
    return result.problem === 'needs_device' ? askDevice(c, result) : problemPage(c, result, show);
  c.executionCtx.waitUntil(clearGrants(c.env, userId, result.grants));
  return c.redirect(to ?? (result.unchanged ? '/deputies' : `/deputies?did=${result.sequence}`), 303);
}

/** The same form once more, for a passkey to sign. */
async function askDevice(c: AppContext, asked: Extract<Problem, { problem: 'needs_device' }>): Promise<Response> {
  const session = await visitor(c);
  return session instanceof Response ? session : devicePage(c, session, asked);
}

type Asked = Exclude<Problem, { problem: 'needs_device' }>;

const PROBLEMS: Record<Asked['problem'], { title: string; text: string; status: 403 | 404 | 409 }> = {
  unknown_deputy: { title: 'You have no such deputy', text: 'It may be gone since the page was made.', status: 404 },
  ended: {
    title: 'This deputy no longer acts for you',
    text: 'It was dismissed, replaced, or its time is up.',
    status: 409,
  },
  stale: {
    title: 'This was changed after your page was made',
    text: 'Another page, or you, pressed something since. This is how it is now.',
    status: 409,
  },
  above_ceiling: {
    title: 'Your account allows less',
    text: 'The limits of your account were lowered meanwhile. This is how it is now.',
    status: 409,
  },
  unknown_approval: {
    title: 'You were not asked that',
    text: 'The address may be mistyped, or be of somebody else, or the question is too long ago.',
    status: 404,
  },
  answered: {
    title: 'That is over by now',
    text: 'It was answered, taken back, or out of time before this press.',
    status: 409,
  },
  too_weak: {
    title: 'This needs a surer yes',
    text: 'Open the question again: it says what your yes needs.',
    status: 403,
  },
  changed: {
    title: 'It would be another one now',
    text: 'What it costs or counts as has changed since it was asked. Deny it, and tell your deputy to ask anew.',
    status: 409,
  },
  not_proven: {
    title: 'Your device did not confirm this',
    text: 'What came was not signed by a passkey of yours that counts, for exactly this, on this page. Open the page again and use your device.',
    status: 403,
  },
  stopped: { title: 'A yes changes nothing now', text: '', status: 409 },
  halted: { title: 'The operator has stopped this deputy', text: 'Only the operator can lift that.', status: 409 },
  unknown_passkey: { title: 'You have no such passkey', text: 'Look at those you have, and add one.', status: 404 },
  no_passkey_counts: {
    title: 'No passkey of yours counts now',
    text: 'Add one, or wait until it counts: without one there would be no way back from this.',
    status: 409,
  },
  too_many_passkeys: { title: 'You have ten passkeys', text: 'Remove one that you do not use any more.', status: 409 },
  wider: { title: 'This grants more', text: 'Sign in again for that.', status: 409 },
};

/** The page as it is now, with what was not done and why on top of it. */
export function problemPage(c: AppContext & PageContext, result: Asked, show: Show = showConsole): Promise<Response> {
  const { title, text, status } = PROBLEMS[result.problem];
  const why = result.problem === 'stopped' ? `It is stopped, because ${stoppedInWords(result.reason)}.` : text;
  const said = {
    kind: 'no' as const,
    text: (
      <>
        <b>Nothing was changed. {title}.</b> {why}
      </>
    ),
  };
  return show(c, said, status);
}
