/** The record as a whole: verified, and downloaded. */
import { Hono } from 'hono';
import { z } from 'zod';
import { objectOf } from '../auth/requests.ts';
import type { PageEnv } from '../auth/session.ts';
import { domain } from '../domain.ts';
import { downloaded } from '../ledger/download.ts';
import { slugOf } from '../text.ts';
import { looking, visitor } from './guard.tsx';
import { VerifyPage } from './verify-page.tsx';

export const recordPages = new Hono<{ Bindings: PageEnv }>();

const headQuery = z.object({
  sequence: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
  hash: z
    .string()
    .trim()
    .toLowerCase()
    .regex(/^[0-9a-f]{64}$/),
});

recordPages.get('/verify', async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const { sequence = '', hash = '' } = c.req.query();
  const expected = headQuery.safeParse({ sequence, hash });
  const asked = sequence !== '' || hash !== '';
  const problem =
    asked && !expected.success ? 'A head is the number of a line and its hash of 64 hexadecimal digits.' : undefined;
  const result = await objectOf(c, session.user.userId).verifyRecord(expected.data);
  const page = <VerifyPage {...looking(c, session)} {...{ result, expected: { sequence, hash }, problem }} />;
  return c.html(page, problem ? 400 : 200);
});

recordPages.get('/record.jsonl', async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const object = objectOf(c, session.user.userId);
  const file = downloaded((after, limit) => object.recordText(after, limit));
  const encoder = new TextEncoder();
  const text = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await file.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
  return c.body(text, 200, {
    'Content-Type': 'application/jsonl; charset=utf-8',
    'Content-Disposition': `attachment; filename="${slugOf(domain.name)}-record.jsonl"`,
  });
});
