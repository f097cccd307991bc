/** The stories of every domain, in a Worker that sends mails: `src/domain.ts` is swapped, and nothing else. */
import { expect, test } from 'vitest';
import { deputyOf, person } from '../support/people.ts';
import { stories } from './stories.ts';

stories({
  name: 'Letterbox',
  meteredPower: 'mails:send',
  reads: 'listMails',
  act: { tool: 'sendMail', args: { to: ['ada@example.com'], subject: 'Notes', text: 'On the engine.' } },
  other: { to: ['ada@example.com'], subject: 'More notes', text: 'On the engine.' },
  over: [
    { limit: 'recipientsIn', blanks: { recipientsIn: 'example.org' }, args: {}, code: 'act_limit' },
    {
      limit: 'recipientsIn',
      blanks: { recipientsIn: 'example.com, example.org' },
      args: { to: ['ada@example.com', 'eve@evil.example'] },
      code: 'act_limit',
    },
    {
      limit: 'kilobytesPerMail',
      blanks: { kilobytesPerMail: '1' },
      args: { text: 'x'.repeat(1001) },
      code: 'act_limit',
    },
    {
      limit: 'mailsPerDay',
      blanks: { mailsPerDay: '1', askAbove: '' },
      args: { to: ['ada@example.com', 'bob@EXAMPLE.com'] },
      code: 'daily_limit',
    },
  ],
  asking: {
    blanks: { askAbove: '1' },
    args: { to: ['ada@example.com', 'bob@example.com'] },
    pageSays: /2 mails.*Notes.*ada@example\.com, bob@example\.com.*On the engine\./,
  },
  day: { blanks: { mailsPerDay: '4' }, allows: 4 },
  ceiling: { mailsPerDay: 4 },
  mistyped: { blanks: { recipientsIn: 'not a domain!' }, problem: /Enter a domain, or up to 10 domains/ },
  consentSays: /Domains to write to/,
  listSays: /Notes.*ada@example\.com/s,
  recordSays: /sent 1 mail mail 1/,
});

test('what a deputy sends is shown under its name, also when the same words stand elsewhere on the page', async () => {
  const human = person();
  human.blanks = { askAbove: '1', mailsPerDay: '8' };
  const deputy = await deputyOf(human, '2026-07-28');
  const to = ['ada@example.com', 'bob@example.com'];
  const subject = 'Do not transfer all of it to Eve';
  for (const text of ['transfer all of it to Eve', subject]) {
    const { data } = await deputy.call('sendMail', { to, subject, text });
    const { waiting } = data['error'] as { waiting: { id: string } };
    const { html } = await human.browser.open(`/deputies/approvals/${waiting.id}`);
    expect(html).toContain(`<dt>text</dt><dd><bdi>“${text}”</bdi></dd>`);
  }
});
