/** Every page of this server in every state that people see it in: how to get there in a real browser. */
import type { BrowserContext, Page } from 'playwright-core';
import { z } from 'zod';
import { BrakePage } from '../../src/console/brake.tsx';
import { Deputy, Person, REDIRECT_URI } from '../../src/dev/clients.ts';
import { allow, plugIn } from '../support/chromium.ts';
import { saysStopped, signInAt, stopAll } from '../support/console-page.ts';

/** A browser, its page, and what to do at each state: it is called with the page standing there. */
export type Tour = {
  browser: BrowserContext;
  page: Page;
  origin: string;
  look: (name: string) => Promise<void>;
  /** Starts the server once more, with these variables and the same data. */
  restart: (variables?: string) => Promise<void>;
};

const HOSTILE = '<script>alert(1)</script>\u202Eevil ' + 'x'.repeat(60);
const ORDER = { company: 'Analytical Engines Ltd', mailingAddress: '12 St James’s Square, London', tshirtSize: 'L' };
const MANY = 30;

const says = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();
const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true }).first().click();

function person(origin: string, email: string, blanks: Record<string, string> = {}): Person {
  const human = new Person(email, origin, (input, init) => fetch(input, init));
  human.blanks = blanks;
  return human;
}

/** A person who remembers what they were asked. */
class Asked extends Person {
  asked: URL | string = '';
  override answer(url: URL | string): Promise<URLSearchParams> {
    this.asked = url;
    return super.answer(url);
  }
}

function connect(human: Person, origin: string, name: string): Promise<Deputy> {
  return Deputy.connect('2026-07-28', human, origin, (input, init) => fetch(input, init), name);
}

/** The address that a client of that name sends a human to. */
async function consentPath(origin: string, name: string, scope = 'shop:browse shop:buy'): Promise<string> {
  const registered = await fetch(`${origin}/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ client_name: name, redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' }),
  });
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: z.object({ client_id: z.string() }).parse(await registered.json()).client_id,
    redirect_uri: REDIRECT_URI,
    scope,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    resource: `${origin}/mcp`,
  });
  return `/authorize?${query.toString()}`;
}

/** A page that only an outage or time brings about, as the server writes it. */
async function showWritten(page: Page, origin: string, html: unknown): Promise<void> {
  await page.route('**/written', async (route) =>
    route.fulfill({ contentType: 'text/html; charset=utf-8', body: String(await html) }),
  );
  await page.goto(`${origin}/written`);
  await page.unroute('**/written');
}

async function strangers({ page, origin, look }: Tour): Promise<void> {
  for (const [name, path] of Object.entries({
    landing: '/',
    how: '/how',
    address: '/mcp',
    missing: '/nowhere',
    'sign-in': '/deputies',
  })) {
    await page.goto(origin + path);
    await look(name);
  }
  // A browser that does not look at addresses itself.
  await page.evaluate("document.querySelector('main form').noValidate = true");
  await page.locator('[name=email]').fill('nobody');
  await press(page, 'Continue');
  await page.getByRole('alert').waitFor();
  await look('sign-in-refused');
  for (const paused of [false, true]) {
    await showWritten(page, origin, BrakePage({ token: 'of a form', paused }));
    await look(paused ? 'outage-stopped' : 'outage');
  }
}

async function consent({ page, origin, look }: Tour): Promise<void> {
  const email = 'reader@example.com';
  await signInAt(page, origin, email);
  await look('console-empty');
  const path = await consentPath(origin, 'Claude');
  await page.goto(origin + path);
  await look('consent');
  const perOrder = page.getByLabel('Shirts in one order', { exact: true });
  await perOrder.fill('many');
  await allow(page);
  await says(page, 'One thing does not fit:');
  await look('consent-one-mistake');
  await perOrder.fill('100');
  await page.getByLabel('Shirts in one order above which it must ask').fill('100');
  await page.getByLabel('US dollars in 24 hours').fill('25');
  await allow(page);
  await says(page, 'It would never ask');
  await look('consent-contradictions');
  await page.goto(origin + path);
  await press(page, 'Allow');
  await says(page, 'That was too soon');
  await look('consent-too-soon');
  await page.goto(origin + (await consentPath(origin, HOSTILE, 'shop:browse shop:buy orders:read profile:read')));
  await look('consent-all-asked');
  await page.goto(origin + (await consentPath(origin, 'Reader', 'shop:browse')));
  await look('consent-looks-only');

  // The same client once more, and once it was dismissed.
  const reader = new Asked(email, origin, (input, init) => fetch(input, init));
  await connect(reader, origin, 'Claude');
  const again = String(reader.asked);
  await page.goto(again);
  await says(page, 'You have appointed this app before');
  await look('consent-again');
  await page.goto(`${origin}/deputies`);
  await page
    .getByRole('link', { name: /Change or dismiss/ })
    .first()
    .click();
  await page.getByText('Dismiss…').click();
  await press(page, 'Dismiss for good');
  await says(page, 'You dismissed Claude');
  await look('console-dismissed');
  await page.goto(`${origin}/deputies`);
  await press(page, 'Stop all');
  await saysStopped(page);
  await look('console-stopped-nobody');
  await page.goto(again);
  await says(page, 'You dismissed this client');
  await look('consent-dismissed-and-stopped');
  await page.goto(`${origin}/authorize?client_id=nobody`);
  await look('consent-unknown-client');
}

async function daily({ page, origin, look }: Tour): Promise<void> {
  const email = 'ada@example.com';
  await signInAt(page, origin, email);
  const [laptop, phone, claude] = [
    await connect(person(origin, email), origin, 'Laptop agent'),
    await connect(person(origin, email, { shirtsPerOrder: '2', askAbove: '' }), origin, 'MCP Inspector'),
    await connect(
      person(origin, email, { approval: 'pressed', shirtsPerDay: '20', spendPerDay: '500' }),
      origin,
      'Claude',
    ),
  ];
  await laptop.call('buyMcpShopItem', { ...ORDER, color: 'black' });
  await phone.call('buyMcpShopItem', { ...ORDER, quantity: 50 });
  await claude.call('buyMcpShopItem', { ...ORDER, color: 'blue', quantity: 2 });
  await laptop.call('listMcpShopInventory');
  await laptop.call('listMcpShopOrders');
  await claude.call('buyMcpShopItem', { ...ORDER, color: 'white' });
  await phone.call('getUserInfo').catch(() => undefined);
  await page.goto(`${origin}/deputies`);
  await look('console');
  const [, itsPath = ''] = /href="(\/deputies\/dep_[^"]+)"/.exec(await page.content()) ?? [];
  await press(page, /^Pause/);
  await says(page, 'You paused');
  await look('console-one-paused');
  await page.goto(origin + itsPath);
  await look('deputy-paused');
  await press(page, /^Let .* go on/);
  await says(page, /You let .* go on/);
  await page.goto(origin + itsPath);
  await look('deputy');
  await page.getByText('Dismiss…').click();
  await page.getByText('Name it…').click();
  await look('deputy-opened');
  await page.getByLabel('Shirts in one order', { exact: true }).fill('many');
  await press(page, 'Sign the new terms');
  await says(page, 'One thing does not fit:');
  await look('deputy-mistake');

  for (const color of ['blue', 'white', 'black']) await claude.call('buyMcpShopItem', { ...ORDER, color, quantity: 4 });
  await page.goto(`${origin}/deputies`);
  await says(page, /One of 3 questions/);
  await look('console-asked');
  await phone.call('setDemoMode', { mode: 'banned' });
  await page.goto(`${origin}/deputies`);
  await look('console-demo-ban');
  await press(page, 'Lift the demo ban');
  await page.getByText('The demo ban is on.').waitFor({ state: 'detached' });

  await stopAll(page);
  for (const deputy of [laptop, phone]) await deputy.call('buyMcpShopItem', ORDER);
  await phone.call('prettyPlease');
  await says(page, /3 attempts refused since/);
  await look('console-stopped');
  await page.goto(`${origin}/deputies/resume`);
  await look('resume');
  await press(page, 'Let these go on');
  await says(page, 'You let your deputies go on');
  await look('console-resumed');
  for (const name of [
    'ceiling',
    'erase',
    'all',
    'orders',
    'record',
    'record?decision=refused',
    'record?tool=nothing',
  ]) {
    await page.goto(`${origin}/deputies/${name}`);
    await look(name.replaceAll(/\W+/g, '-'));
  }
  await page.goto(`${origin}/deputies/ceiling`);
  await page.locator('[name=shirtsPerDay]').fill('none');
  await press(page, 'Set these limits');
  await says(page, 'One thing does not fit:');
  await look('ceiling-mistake');
  await page.goto(`${origin}/deputies/verify`);
  await look('verify');
  await page.goto(`${origin}/deputies/verify?sequence=3&hash=${'ab'.repeat(32)}`);
  await look('verify-broken');
  await page.goto(`${origin}/deputies/verify?sequence=three&hash=ab`);
  await look('verify-no-head');
  await page.goto(`${origin}/deputies/approvals/nothing`);
  await look('problem');
  await page.goto(`${origin}/deputies`);
  await page.evaluate("document.querySelector('#brake [name=form]').value = 'of nobody'");
  await press(page, 'Stop all');
  await says(page, 'This form is not from your session');
  await look('form-of-nobody');
  await page.goto(`${origin}/local-authkit`);
  await look('local-authkit');
}

async function texts({ page, origin, look }: Tour): Promise<void> {
  const email = `${'long'.repeat(12)}@${'example'.repeat(6)}.com`;
  await signInAt(page, origin, email);
  const deputy = await connect(person(origin, email), origin, HOSTILE);
  const arabic = await connect(person(origin, email, { approval: 'pressed' }), origin, 'وكيل التسوق الذكي للمكتب');
  const long = { company: `<img src=x onerror=alert(1)>${'x'.repeat(72)}`, mailingAddress: 'W'.repeat(200) };
  await deputy.call('buyMcpShopItem', { ...ORDER, ...long });
  await arabic.call('buyMcpShopItem', { ...ORDER, quantity: 50 });
  await arabic.call('buyMcpShopItem', { ...ORDER, ...long, quantity: 4 });
  for (const name of ['', '/all', '/orders', '/record', '/verify']) {
    await page.goto(`${origin}/deputies${name}`);
    await look(`long-${name.slice(1) || 'console'}`);
  }
  await page.goto(`${origin}/deputies`);
  const links = ['Look and answer', /^Change or dismiss .<script>/];
  const addresses = await Promise.all(
    links.map((name) => page.getByRole('link', { name }).first().getAttribute('href')),
  );
  for (const [index, name] of ['approval', 'deputy'].entries()) {
    await page.goto(`${origin}${addresses[index]}`);
    await look(`long-${name}`);
  }
}

async function many({ page, origin, look }: Tour): Promise<void> {
  const email = 'crowded@example.com';
  await signInAt(page, origin, email);
  const deputies: Deputy[] = [];
  for (let count = 1; count <= MANY; count += 1) {
    const name = `Agent ${count} of the ${count % 2 ? 'office' : 'warehouse'}`;
    deputies.push(await connect(person(origin, email, { shirtsPerDay: '20' }), origin, name));
  }
  for (const deputy of deputies.slice(-8)) await deputy.call('buyMcpShopItem', ORDER);
  await page.goto(`${origin}/deputies`);
  await look('console-30-deputies');
  await stopAll(page);
  await look('console-30-deputies-stopped');
  for (const name of ['resume', 'all']) {
    await page.goto(`${origin}/deputies/${name}`);
    await look(`${name}-30-deputies`);
  }
}

async function ask(deputy: Deputy, changes: Record<string, unknown> = {}): Promise<string> {
  const { data } = await deputy.call('buyMcpShopItem', { ...ORDER, color: 'blue', quantity: 4, ...changes });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the shape of a question, as test/journeys holds it
  return (data['error'] as { url: string }).url;
}

async function approvals({ page, origin, look }: Tour): Promise<void> {
  const email = 'asked@example.com';
  await signInAt(page, origin, email);
  const blanks = { shirtsPerOrder: '12', shirtsPerDay: '20', spendPerDay: '500', askAbove: '0' };
  const human = person(origin, email, { ...blanks, approval: 'pressed' });
  const claude = await connect(human, origin, 'Claude');
  await page.goto(await ask(claude, { quantity: 1 }));
  await look('approval-pressed-one');
  await press(page, 'Deny');
  await says(page, /You said no/);
  await look('console-denied');
  await page.goBack();
  await page.reload();
  await look('approval-denied');
  await page.goto(await ask(claude, { color: 'white', quantity: 3 }));
  await look('approval-pressed-three');
  await press(page, 'Approve');
  await says(page, 'You said yes');
  await look('approval-used');
  const question = await ask(claude, { color: 'black', quantity: 12 });
  await page.goto(question);
  await look('approval-pressed-twelve');
  await page.goto(`${origin}/deputies`);
  await stopAll(page);
  await page.goto(question);
  await look('approval-stopped');
  await page.goto(`${origin}/deputies/resume`);
  await press(page, 'Let these go on');
  await says(page, 'You let your deputies go on');
  await page.goto(question);
  await press(page, /Deny and pause/);
  await says(page, /You said no/);
  await look('console-denied-and-paused');

  human.blanks = { ...blanks, approval: 'confirmed' };
  await page.goto(await ask(await connect(human, origin, 'Cautious agent')));
  await look('approval-confirmed');
  // A new passkey would wait a day while a question waits.
  await press(page, 'Deny');
  await says(page, /You said no/);
  human.blanks = { ...blanks, approval: 'device' };
  const sure = await connect(human, origin, 'Sure agent');
  await page.goto(await ask(sure));
  await look('approval-device-none');
  await plugIn(page);
  await page.goto(await ask(sure));
  await press(page, 'Deny');
  await says(page, /You said no/);
  await page.goto(`${origin}/deputies/passkeys`);
  await look('passkeys-none');
  await press(page, 'Add a passkey');
  await says(page, ', counts');
  await look('passkeys');
  await press(page, 'Ask for it there too');
  await says(page, 'Ask for it no more');
  await look('passkeys-guarded');
  await page.goto(await ask(sure, { color: 'black' }));
  await look('approval-device');
  await page.locator('[name=next]').check();
  await press(page, 'Approve with your device');
  await says(page, 'You said yes');
  await page.goto(`${origin}/deputies`);
  await says(page, 'need not ask for');
  await look('console-allowance');
  const waiting = await ask(sure, { color: 'white', quantity: 5 });
  await press(page, /^Let .* go on/);
  await says(page, 'Confirm it with your device');
  await look('confirm-with-device');
  // The question of a deputy that is dismissed meanwhile.
  await page.goto(`${origin}/deputies`);
  const path = await page.getByRole('link', { name: /^Change or dismiss .Sure agent/ }).getAttribute('href');
  await page.goto(origin + path);
  await page.getByText('Dismiss…').click();
  await press(page, 'Dismiss for good');
  await says(page, 'You dismissed Sure agent');
  await page.goto(origin + path);
  await look('deputy-dismissed');
  await page.goto(waiting);
  await look('approval-void');
}

async function profile({ page, origin, look }: Tour): Promise<void> {
  const email = 'home@example.com';
  await signInAt(page, origin, email);
  await connect(person(origin, email), origin, 'Claude');
  await page.goto(`${origin}/deputies/profile`);
  await look('profile');
  await page.locator('[name=company]').fill('x'.repeat(300));
  await page.locator('[name=mailingAddress]').fill('12 St James’s Square\nLondon');
  await press(page, 'Keep this');
  await says(page, 'Nothing was changed yet');
  await look('profile-mistake');
  await page.goto(`${origin}/local-authkit`);
  await press(page, 'Remove from the organization');
  await look('local-authkit-removed');
}

/** What WorkOS, the operator and the clock do. */
async function others({ page, origin, look, restart }: Tour): Promise<void> {
  const email = 'left@example.com';
  await signInAt(page, origin, email);
  const blanks = { shirtsPerOrder: '12', shirtsPerDay: '20', spendPerDay: '500', approval: 'pressed' };
  const claude = await connect(person(origin, email, blanks), origin, 'Claude');
  await claude.call('buyMcpShopItem', ORDER);
  await page.goto(`${origin}/local-authkit`);
  await press(page, 'Remove from the organization');
  await claude.call('buyMcpShopItem', ORDER).catch(() => undefined);
  await page.goto(`${origin}/deputies`);
  await look('console-suspended');
  await page.goto(`${origin}/deputies/resume`);
  await look('resume-suspended');
  await press(page, 'Let these go on');
  await says(page, 'You are signed out');
  await look('session-over');
  await page.context().clearCookies();
  await signInAt(page, origin, email);
  await page.goto(`${origin}/deputies/resume`);
  await press(page, 'Let these go on');
  await says(page, 'You let your deputies go on');
  const unanswered = await ask(claude);
  await page.goto(unanswered);
  await page.evaluate(() => fetch('/clock', { method: 'POST', body: String(11 * 60_000) }));
  await press(page, 'Approve');
  await look('approval-too-late');
  await page.goto(unanswered);
  await look('approval-lapsed');
  await page.goto(`${origin}/deputies`);
  await look('console-lapsed');
  await restart('HALT=on');
  await claude.call('buyMcpShopItem', ORDER).catch(() => undefined);
  await page.goto(`${origin}/deputies`);
  await look('console-halted');
  await stopAll(page);
  await look('console-halted-and-stopped');
  await restart();
}

async function support({ page, origin, look }: Tour): Promise<void> {
  await page.goto(`${origin}/deputies`);
  await page.fill('[name=email]', 'helped@example.com');
  await page.getByText('Sign in as that user').click();
  await look('sign-in-as');
  await page.fill('[name=impersonator]', 'support@example.com');
  await press(page, 'Continue');
  await says(page, 'is signed in as');
  await look('console-impersonated');
  await page.goto(`${origin}/deputies/ceiling`);
  await look('ceiling-impersonated');
}

export const STATES: Record<string, (tour: Tour) => Promise<void>> = {
  strangers,
  consent,
  daily,
  texts,
  many,
  approvals,
  profile,
  others,
  support,
};
