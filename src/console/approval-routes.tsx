/** /deputies/approvals and /deputies/passkeys: the human answers what a deputy asked, and says with what. */
import { Hono } from 'hono';
import { z } from 'zod';
import { formOf, hereOf, objectOf, originOf, typedIn } from '../auth/requests.ts';
import { type AppContext, type PageEnv } from '../auth/session.ts';
import { GRADES } from '../authority/grade.ts';
import { attestationSchema } from '../ledger/passkeys.ts';
import { Message } from '../pages/layout.tsx';
import { jsonIn } from '../text.ts';
import { finish, perform, problemPage, type Show, simply } from './acting.tsx';
import { ApprovalPage } from './approval-page.tsx';
import type { Said } from './frame.tsx';
import { accept, freshVisitor, isFresh, isUnheard, looking, visitor } from './guard.tsx';
import { PasskeysPage } from './passkeys-page.tsx';

export const approvalPages = new Hono<{ Bindings: PageEnv }>();

async function showQuestion(
  c: AppContext,
  id: string,
  said?: Said,
  status: 200 | 403 | 404 | 409 = 200,
): Promise<Response> {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const view = await objectOf(c, session.user.userId).lookAtApproval(id);
  if (!view) return problemPage(c, { problem: 'unknown_approval' });
  const fresh = isFresh(session) ? 'yes' : isUnheard(c) ? 'unheard' : 'no';
  const page = { view, here: `/deputies/approvals/${id}`, fresh, host: hostOf(c), said } as const;
  return c.html(<ApprovalPage {...looking(c, session)} {...page} />, status);
}

approvalPages.get('/approvals/:id', (c) => showQuestion(c, c.req.param('id')));

/** Whatever a field holds instead is as if it were not there. */
const answer = z.object({
  decision: z.enum(['approve', 'deny', 'pause']).optional().catch(undefined),
  grade: z.enum(GRADES).catch('pressed'),
  shown: z.string().max(100).catch(''),
  shownNext: z.string().max(100).catch(''),
  next: z.literal('yes').optional().catch(undefined),
});

approvalPages.post('/approvals/:id', async (c) => {
  const effectId = c.req.param('id');
  const show: Show = (context, said, status) => showQuestion(context, effectId, said, status);
  const { decision, grade, shown, shownNext, next } = answer.parse(typedIn(await formOf(c)));
  if (decision === 'pause') return simply(c, 'brake', ({ as }) => ({ do: 'deny', effectId, pause: true, as }), show);
  if (decision === 'deny') return simply(c, 'valid', () => ({ do: 'deny', effectId, pause: false }), show);
  // What counts as confirmed is a sign-in of a moment ago; a device proves itself.
  const form = await accept(c, grade === 'confirmed' ? 'fresh' : 'session');
  if (form instanceof Response) return form;
  if (decision === undefined) return incomplete(c);
  const session = grade === 'confirmed' ? 'confirmed' : 'pressed';
  const agreed = { effectId, shown: next ? shownNext : shown, grade: session, next: next !== undefined } as const;
  return perform(c, form.userId, { do: 'approve', decision: agreed }, show, hereOf(c));
});

approvalPages.post('/allowances/:line', (c) =>
  simply(c, 'valid', () => ({ do: 'endAllowance', line: Number(c.req.param('line')) || 0 })),
);

const PASSKEYS = '/deputies/passkeys';

async function showPasskeys(c: AppContext, said?: Said, status: 200 | 403 | 404 | 409 = 200): Promise<Response> {
  const session = await freshVisitor(c);
  if (session instanceof Response) return session;
  const view = await objectOf(c, session.user.userId).lookAtPasskeys();
  return c.html(<PasskeysPage {...looking(c, session)} view={view} host={hostOf(c)} said={said} />, status);
}

approvalPages.get('/passkeys', (c) => showPasskeys(c));

approvalPages.post('/passkeys', async (c) => {
  const form = await accept(c, 'fresh');
  if (form instanceof Response) return form;
  const made = attestationSchema.safeParse(jsonIn(form.typed['attestation'] ?? ''));
  if (!made.success) return problemPage(c, { problem: 'not_proven' }, showPasskeys);
  const offer = { until: Number(form.typed['until']), origin: originOf(c) };
  const added = await objectOf(c, form.userId).addPasskey(made.data, offer);
  return finish(c, form.userId, added, showPasskeys, PASSKEYS);
});

approvalPages.post('/passkeys/remove', async (c) => {
  const form = await accept(c, 'fresh');
  if (form instanceof Response) return form;
  const act = { do: 'removePasskey', id: form.typed['passkey'] ?? '' } as const;
  return perform(c, form.userId, act, showPasskeys, PASSKEYS);
});

approvalPages.post('/passkeys/guard', async (c) => {
  const form = await accept(c, 'fresh');
  if (form instanceof Response) return form;
  const act = { do: 'guard', device: form.typed['device'] === 'yes' } as const;
  return perform(c, form.userId, act, showPasskeys, PASSKEYS);
});

function hostOf(c: AppContext): string {
  return new URL(originOf(c)).hostname;
}

function incomplete(c: AppContext) {
  return c.html(
    <Message title="This form was incomplete" action={{ href: hereOf(c), label: 'Show the question' }}>
      <p>Nothing was changed. Approve it or deny it on its page.</p>
    </Message>,
    400,
  );
}
