/** Mails sent in a human's name: a domain without goods or prices, whose first limit is a set of names that the human writes. */
import { z } from 'zod';
import { names, things } from '../../src/authority/units.ts';
import { defineDomain } from '../../src/tools/define-domain.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { strict } from '../../src/tools/fields.ts';
import { mail, sent, show, toSend } from './mail-schema.ts';

const sendMail = defineTool({
  name: 'sendMail',
  title: 'Send a mail',
  description:
    'Sends a mail in the name of your human. Call it once they have seen the text. Next: tell them its number.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  scope: 'mails:send',
  whenBanned: 'The letterbox is nailed shut.',
  input: toSend,
  output: sent,
  meter: {
    uses: ({ to, text }) => ({
      domains: to.map((address) => address.split('@')[1] ?? ''),
      mails: to.length,
      kilobytes: Math.ceil(text.length / 1000),
    }),
    idempotency: ({ idempotencyKey: key, ...rest }) => ({ key, arguments: rest }),
    again: (id, { effects }) => ({ text: 'Sent before. Go on.', data: show(effects(mail).find(id, 'idempotencyKey')) }),
  },
  run: (input, { effects }) => ({ text: 'Sent. Tell your human.', data: show(effects(mail).make('sent', input)) }),
});

const listMails = defineTool({
  name: 'listMails',
  title: 'List the mails',
  description: 'Lists what was sent in the name of your human. Call it before you send again. Next: sendMail.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  scope: 'mails:read',
  input: strict({}),
  output: z.object({ mails: z.array(sent) }),
  run: (_, { effects }) => ({ text: 'Next: sendMail.', data: { mails: effects(mail).page(50).effects.map(show) } }),
});

const domains = names('domain', 'domains', /^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'example.com');
const mails = things('mail', 'mails');

export const domain = defineDomain({
  name: 'Letterbox',
  serverInfo: { name: 'Letterbox', version: '1.0.0' },
  about: 'This server sends mails.',
  instructions: 'Mails in the name of a human. Show them the text, then send.',
  adminPermission: 'mails:admin',
  mandateType: 'mail_mandate',
  act: { noun: 'mail', nouns: 'mails', verb: 'send', did: 'sent', less: 'Send less', look: 'listMails' },
  powers: {
    'mails:read': { reads: 'read what was sent', title: 'Read what was sent', detail: 'Every deputy may.' },
    'mails:send': { reads: 'send mails', title: 'Send mails', detail: 'At once.', metered: true },
  },
  units: { domains, mails, kilobytes: things('kilobyte', 'kilobytes') },
  limits: {
    callsPerMinute: { of: 'calls', per: 'minute', start: 60, max: 60 },
    recipientsIn: {
      names: true,
      of: 'domains',
      per: 'act',
      start: ['example.com'],
      max: 10,
      label: 'Domains to write to',
    },
    kilobytesPerMail: { of: 'kilobytes', per: 'act', start: 10, max: 20, label: 'Kilobytes in one mail' },
    askAbove: {
      of: 'mails',
      per: 'act',
      start: 3,
      max: 500,
      asks: true,
      label: 'Addresses of one mail above which it must ask',
    },
    mailsPerDay: { of: 'mails', per: 'day', start: 5, max: 500, ceiling: 8, label: 'Mails in 24 hours' },
  },
  sentence:
    'It may write to addresses in {recipientsIn}, up to {kilobytesPerMail} a mail, and up to {mailsPerDay} in 24 hours. Above {askAbove} at once it must ask first.',
  ceiling: 'All deputies together may send up to {mailsPerDay} in any 24 hours.',
  effect: {
    data: mail,
    tells: ({ number, amounts }) => `sent ${mails.reads(amounts?.['mails'] ?? 0)}, number ${number}`,
    columns: { Subject: ({ data }) => data.subject, To: ({ data }) => data.to.join(', ') },
  },
  tools: [listMails, sendMail],
});
