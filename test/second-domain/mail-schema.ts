/** What a mail is, and how tools take and show it. */
import { z } from 'zod';
import type { Effect } from '../../src/ledger/effects.ts';
import { line, paragraph, strict } from '../../src/tools/fields.ts';

export const mail = z.object({ to: z.array(z.email()), subject: z.string() });

export const toSend = strict({
  to: z.array(z.email()).min(1).max(20).describe('Whom to write to.'),
  subject: line('The subject.', 200),
  text: paragraph('The text.', 20_000),
  idempotencyKey: line('A name of your own for this mail.', 100).optional(),
});

export const sent = z.object({ id: z.string(), number: z.int(), mail, state: z.string() });

export function show({ id, number, state, data }: Effect<z.infer<typeof mail>>): z.infer<typeof sent> {
  return { id, number, state, mail: data };
}
