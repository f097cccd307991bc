/** /deputies/approvals and /deputies/passkeys: the human answers what a deputy asked, and says with what. */
import { Hono } from 'hono';
import { z } from 'zod';
import { hereOf, objectOf, originOf } from '../auth/requests.ts';
import { type AppContext, type PageEnv } from '../auth/session.ts';
import { attestationSchema } from '../ledger/passkeys.ts';
import { Message } from '../pages/layout.tsx';
import { finish, perform, problemPage, simply } from './acting.tsx';
import { ApprovalPage } from './approval-page.tsx';
import { accept, freshVisitor, isFresh, looking, visitor } from './guard.tsx';
import { PasskeysPage } from './passkeys-page.tsx';

export const approvalPages = new Hono<{ Bindings: PageEnv }>();

approvalPages.get('/approvals/:id', async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const view = await objectOf(c, session.user.userId).lookAtApproval(c.req.param('id'));
  if (!view) return problemPage(c, { problem: 'unknown_approval' });
  const page = { view, here: hereOf(c), fresh: isFresh(session), host: hostOf(c) };
  return c.html(<ApprovalPage {...looking(c, session)} {...page} />);
});

const answer = z.object({
  decision: z.enum(['approve', 'deny', 'pause']),
  grade: z.enum(['pressed', 'confirmed', 'device']).catch('pressed'),
  shown: z.string().max(100).default(''),
  shownNext: z.string().max(100).default(''),
  next: z.literal('yes').optional(),
});

approvalPages.post('/approvals/:id', async (c) => {
  const effectId = c.req.param('id');
  const { decision } = answer.pick({ decision: true }).safeParse(await c.req.parseBody()).data ?? {};
  if (decision === 'pause') return simply(c, 'brake', ({ as }) => ({ do: 'deny', effectId, pause: true, as }));
  if (decision === 'deny') return simply(c, 'valid', () => ({ do: 'deny', effectId, pause: false }));
  if (decision === undefined) return incomplete(c);
  const { grade } = answer.pick({ grade: true }).parse(await c.req.parseBody());
  // What counts as confirmed is a sign-in of a moment ago; a device proves itself.
  const form = await accept(c, grade === 'confirmed' ? 'fresh' : 'session');
  if (form instanceof Response) return form;
  const { shown, shownNext, next } = answer.parse(form.typed);
  const session = grade === 'confirmed' ? 'confirmed' : 'pressed';
  const agreed = { effectId, shown: next ? shownNext : shown, grade: session, next: next !== undefined } as const;
  return perform(c, form.userId, { do: 'approve', decision: agreed }, { to: hereOf(c) });
});

approvalPages.post('/allowances/:line', (c) =>
  simply(c, 'valid', () => ({ do: 'endAllowance', line: Number(c.req.param('line')) || 0 })),
);

approvalPages.get('/passkeys', async (c) => {
  const session = await freshVisitor(c);
  if (session instanceof Response) return session;
  const view = await objectOf(c, session.user.userId).lookAtPasskeys();
  return c.html(<PasskeysPage {...looking(c, session)} view={view} host={hostOf(c)} />);
});

approvalPages.post('/passkeys', async (c) => {
  const form = await accept(c, 'fresh');
  if (form instanceof Response) return form;
  const made = attestationSchema.safeParse(jsonIn(form.typed['attestation']));
  if (!made.success) return problemPage(c, { problem: 'not_proven' });
  const offer = { until: Number(form.typed['until']), origin: originOf(c) };
  return finish(c, form.userId, await objectOf(c, form.userId).addPasskey(made.data, offer), {
    to: '/deputies/passkeys',
  });
});

approvalPages.post('/passkeys/remove', async (c) => {
  const form = await accept(c, 'fresh');
  if (form instanceof Response) return form;
  const act = { do: 'removePasskey', id: form.typed['passkey'] ?? '' } as const;
  return perform(c, form.userId, act, { to: '/deputies/passkeys' });
});

approvalPages.post('/passkeys/guard', async (c) => {
  const form = await accept(c, 'fresh');
  if (form instanceof Response) return form;
  const act = { do: 'guard', device: form.typed['device'] === 'yes' } as const;
  return perform(c, form.userId, act, { to: '/deputies/passkeys' });
});

function hostOf(c: AppContext): string {
  return new URL(originOf(c)).hostname;
}

function jsonIn(text = ''): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function incomplete(c: AppContext) {
  return c.html(
    <Message title="This form was incomplete" action={{ href: hereOf(c), label: 'Show the question' }}>
      <p>Nothing was changed. Approve it or deny it on its page.</p>
    </Message>,
    400,
  );
}
