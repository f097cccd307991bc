/** Acts of the human: carried out in their object, then the console, or the page as it is now with what was not done. */
import type { Context } from 'hono';
import { clearGrants } from '../auth/grants.ts';
import { objectOf } from '../auth/requests.ts';
import type { AppContext, PageEnv } from '../auth/session.ts';
import type { Act, Done, Problem } from '../ledger/acts.ts';
import { logError } from '../log.ts';
import { Message } from '../pages/layout.tsx';
import type { Said } from './frame.tsx';
import { accept, type Accepted, type Needed } from './guard.tsx';
import { showConsole } from './show.tsx';

export type PageContext = Context<{ Bindings: PageEnv }>;

/** Where an act that could not be carried out leaves the human: on that page, as it is now, with what is said there. */
export type Show = (c: PageContext, said: NonNullable<Said>, status: 404 | 409) => Promise<Response>;

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

/** Carries out an act, and says what came of it. */
export async function perform(c: PageContext, userId: string, act: Act, show?: Show): Promise<Response> {
  let result: Done | Problem;
  try {
    result = await objectOf(c, userId).act(act);
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
  return finish(c, userId, result, show);
}

/** Back to the console, which says what was done, while grants of dismissed deputies are removed; or what was not done. */
export async function finish(c: PageContext, userId: string, result: Done | Problem, show?: Show): Promise<Response> {
  if ('problem' in result) return problemPage(c, result.problem, show);
  c.executionCtx.waitUntil(clearGrants(c.env, userId, result.grants));
  return c.redirect(`/deputies?did=${result.sequence}`, 303);
}

const PROBLEMS: Record<Problem['problem'], { title: string; text: string; status: 404 | 409 }> = {
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
  wider: { title: 'This grants more', text: 'Sign in again for that.', status: 409 },
};

/** The page as it is now, with what was not done and why on top of it. */
export function problemPage(
  c: AppContext & PageContext,
  problem: Problem['problem'],
  show: Show = showConsole,
): Promise<Response> {
  const { title, text, status } = PROBLEMS[problem];
  const said = {
    kind: 'no' as const,
    text: (
      <>
        <b>Nothing was changed. {title}.</b> {text}
      </>
    ),
  };
  return show(c, said, status);
}
