/** The record as a whole: verified, and downloaded. */
import { Hono } from 'hono';
import { z } from 'zod';
import { objectOf } from '../auth/requests.ts';
import type { PageEnv } from '../auth/session.ts';
import { domain } from '../domain.ts';
import { downloaded } from '../ledger/download.ts';
import { slugOf } from '../text.ts';
import { looking, visitor } from './guard.tsx';
import { RecordPage } from './record-page.tsx';
import { VerifyPage } from './verify-page.tsx';

export const recordPages = new Hono<{ Bindings: PageEnv }>();

const headQuery = z.object({
  sequence: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
  hash: z
    .string()
    .toLowerCase()
    .regex(/^[0-9a-f]{64}$/),
});

/** As people paste it: line and hash in one, as the page copies them, or a hash in groups of four, as it shows it. */
function headIn({ sequence = '', hash = '' }: Record<string, string>): { sequence: string; hash: string } {
  const [, line = sequence, rest = hash] = /^\s*(\d{1,15})\s+((?:[\da-f]\s*){64})$/i.exec(hash) ?? [];
  return { sequence: line.trim(), hash: rest.replace(/\s+/g, '') };
}

const search = z.object({
  before: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional().catch(undefined),
  deputy: z.string().min(1).max(100).optional().catch(undefined),
  tool: z.string().min(1).max(100).optional().catch(undefined),
  decision: z.enum(['allowed', 'refused']).optional().catch(undefined),
});

recordPages.get('/record', async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const asked = search.parse(c.req.query());
  const found = await objectOf(c, session.user.userId).lookAtRecord(asked);
  return c.html(<RecordPage {...looking(c, session)} found={found} search={asked} />);
});

/** Lines that the page draws as links of a chain. */
const LINKS = 6;

recordPages.get('/verify', async (c) => {
  const session = await visitor(c);
  if (session instanceof Response) return session;
  const { sequence, hash } = headIn(c.req.query());
  const expected = headQuery.safeParse({ sequence, hash });
  const asked = sequence !== '' || hash !== '';
  const problem =
    asked && !expected.success ? 'A head is the number of a line and its hash of 64 hexadecimal digits.' : undefined;
  const object = objectOf(c, session.user.userId);
  const result = await object.verifyRecord(expected.data);
  const newest = await object.newestRows(LINKS);
  const page = <VerifyPage {...looking(c, session)} {...{ result, newest, expected: { sequence, hash }, problem }} />;
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
