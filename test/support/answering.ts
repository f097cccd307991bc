/** A human who answers questions on their pages: reads them, signs with a device, and posts the form. */
import type { Page } from '../../src/dev/browser.ts';
import type { Person } from '../../src/dev/clients.ts';
import { Authenticator, type Options } from './authenticator.ts';
import { hiddenFields } from './scene.ts';
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
export async function addPasskey(human: Person, device?: Authenticator): Promise<Authenticator> {
  const made = device ?? (await Authenticator.make());
  const page = await openFresh(human, '/deputies/passkeys');
  const attestation = JSON.stringify(await made.attestation(optionsOn(page).challenge, { origin: ORIGIN }));
  const added = await human.browser.press(page, 'Add a passkey', { attestation });
  if (added.status !== 200) throw new Error(`the passkey was not added: ${added.html}`);
  return made;
}

export const questionPath = (id: string) => `/deputies/approvals/${id}`;

/** Answers a question as its page asks for it; `device` signs where it needs one. */
export async function approve(
  human: Person,
  id: string,
  { device, next = false, ...options }: Partial<Options> & { device?: Authenticator; next?: boolean } = {},
): Promise<Page> {
  const path = questionPath(id);
  let page = await human.browser.open(path);
  if (page.html.includes('Sign in again to approve')) {
    await human.walk(`/login?return_to=${encodeURIComponent(path)}&fresh=1`);
    page = await human.browser.open(path);
  }
  const fields: Record<string, string> = next ? { next: 'yes' } : {};
  if (!page.html.includes('data-device')) return human.browser.press(page, 'Approve', fields);
  const { challenge, next: challengeNext = '' } = optionsOn(page);
  if (device) {
    const signed = await device.assertion(next ? challengeNext : challenge, { origin: ORIGIN, ...options });
    fields['assertion'] = JSON.stringify(signed);
  }
  return human.browser.press(page, 'Approve with your device', fields);
}

/** Posts a form of the question's page by hand, whatever the page offers. */
export async function postAnswer(human: Person, id: string, fields: Record<string, string>): Promise<Page> {
  const page = await human.browser.open(questionPath(id));
  return human.browser.post(questionPath(id), { ...hiddenFields(page), ...fields });
}
