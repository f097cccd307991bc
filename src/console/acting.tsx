/** Acts of the human: carried out in their object, then the overview, or the page that says why nothing was changed. */
import type { Context } from 'hono';
import { clearGrants } from '../auth/grants.ts';
import { objectOf } from '../auth/requests.ts';
import type { AppContext, PageEnv } from '../auth/session.ts';
import type { Act, Done, Problem } from '../ledger/acts.ts';
import { logError } from '../log.ts';
import { Message } from '../pages/layout.tsx';
import { accept, type Accepted, type Needed } from './guard.tsx';

type PageContext = Context<{ Bindings: PageEnv }>;

/** Carries out the act of a form without fields. */
export async function simply(c: PageContext, needed: Needed, act: (form: Accepted) => Act): Promise<Response> {
  const form = await accept(c, needed);
  return form instanceof Response ? form : perform(c, form.userId, act(form));
}

/** Carries out an act, and says what came of it. `query` is added to the address of the overview. */
export async function perform(
  c: PageContext,
  userId: string,
  act: Act,
  query?: (done: Done) => string,
): Promise<Response> {
  let result: Done | Problem;
  try {
    result = await objectOf(c, userId).act(act);
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
  return finish(c, userId, result, query);
}

/** Back to the overview, while grants of dismissed deputies are removed; or the page that says what went wrong. */
export function finish(
  c: PageContext,
  userId: string,
  result: Done | Problem,
  query: (done: Done) => string = () => '',
): Response | Promise<Response> {
  if ('problem' in result) return problemPage(c, result.problem);
  c.executionCtx.waitUntil(clearGrants(c.env.OAUTH_PROVIDER, c.env, userId, result.grants));
  return c.redirect(`/deputies${query(result)}`, 303);
}

/** With `again`, the page offers the form once more, as things are now. */
const PROBLEMS: Record<Problem['problem'], { title: string; text: string; status: 404 | 409; again?: true }> = {
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
  wider: { title: 'This grants more', text: 'Open the page again and sign in.', status: 409 },
};

export function problemPage(c: AppContext, problem: Problem['problem']) {
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
