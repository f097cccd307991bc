/** A human who answers questions on their pages: reads them, signs with a device, and posts the form. */
import { hiddenFields, type Page } from '../../src/dev/browser.ts';
import type { Person } from '../../src/dev/clients.ts';
import { Authenticator, type Options } from './authenticator.ts';
import { ORIGIN } from './worker.ts';

/** Opens a page that needs a fresh sign-in. */
export async function openFresh(human: Person, path: string): Promise<Page> {
  return human.walk(path);
}

/** The options that the page gives to the browser: of the first field that has some. */
export function optionsOn({ html }: Page): { challenge: string; next?: string } {
  const [, options = '{}'] = /data-options="([^"]*)"/.exec(html) ?? [];
  const [, next] = /data-next="([^"]*)"/.exec(html) ?? [];
  const { challenge } = JSON.parse(options.replaceAll('&quot;', '"')) as { challenge: string };
  return { challenge, ...(next !== undefined && { next }) };
}

/** Adds a passkey on the human's page. */
export async function addPasskey(human: Person, { synced = false } = {}): Promise<Authenticator> {
  const made = await Authenticator.make({ synced });
  const page = await openFresh(human, '/deputies/passkeys');
  const attestation = JSON.stringify(await made.attestation(optionsOn(page).challenge, { origin: ORIGIN }));
  const added = await human.browser.press(page, 'Add a passkey', { attestation });
  if (added.status !== 200) throw new Error(`the passkey was not added: ${added.html}`);
  return made;
}

export const questionPath = (id: string) => `/deputies/approvals/${id}`;

/** The form of a question's page as its human would send a yes: signed in again, and signed by `device`, where it needs that. */
export async function yesTo(
  human: Person,
  id: string,
  { device, next = false, ...options }: Partial<Options> & { device?: Authenticator | undefined; next?: boolean } = {},
): Promise<Record<string, string>> {
  const path = questionPath(id);
  let page = await human.browser.open(path);
  if (page.html.includes('Sign in again to approve')) {
    await human.walk(`/login?return_to=${encodeURIComponent(path)}&fresh=1`);
    page = await human.browser.open(path);
  }
  const fields: Record<string, string> = { ...hiddenFields(page), decision: 'approve', ...(next && { next: 'yes' }) };
  if (!device || !page.html.includes('data-device')) return fields;
  const { challenge, next: challengeNext = '' } = optionsOn(page);
  const signed = await device.assertion(next ? challengeNext : challenge, { origin: ORIGIN, ...options });
  return { ...fields, assertion: JSON.stringify(signed) };
}

export function send(human: Person, id: string, fields: Record<string, string>): Promise<Page> {
  return human.browser.post(questionPath(id), fields);
}

/** Says yes. */
export async function approve(human: Person, id: string, how: Parameters<typeof yesTo>[2] = {}): Promise<Page> {
  return send(human, id, await yesTo(human, id, how));
}
