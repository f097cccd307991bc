/**
 * Keeps /deputies up to date. A socket says where the record stands; a page that is behind fetches itself again and takes
 * over what has changed. A key that is pressed here is sent from here, so that the page stays.
 */

/** Milliseconds. The first wait before another try; each further one is twice as long, up to the last. */
const RETRY = { first: 500, last: 15_000 };
/** Milliseconds between signs of life, and how long the answer may take. */
const PING_EVERY_MS = 20_000;
const PONG_WITHIN_MS = 10_000;
const PAGE_WITHIN_MS = 15_000;
/** Milliseconds between two drawings. */
const DRAW_EVERY_MS = 250;
const SESSION_OVER = 4401;
/** Without what the page was led to with: that was said once. */
const HERE = '/deputies';
const NOT_CONNECTED = 'Not connected. What you see may be out of date. Trying again…';
const NOT_DRAWN = 'The newest lines cannot be shown at the moment. Trying again…';

/** The library that takes over what changed; it was loaded before this script. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a script before this one has put there
const { morph } = /** @type {typeof globalThis & typeof import('idiomorph')} */ (globalThis).Idiomorph;

const bar = element('live');
const state = element('live-state');
const toggle = element('live-toggle');
/** @type {WebSocket | undefined} */
let socket;
/** Where the record stands, as far as this page knows. */
let newest = shown();
let stale = false;
let following = true;
let drawing = false;
/** Counts the keys that were pressed: a page that was asked for before is older than their answer. */
let presses = 0;
let pressing = false;
let lastDrawn = 0;
let connectWait = RETRY.first;
let drawWait = RETRY.first;
/** @type {Partial<Record<'connect' | 'redraw' | 'change' | 'answer', ReturnType<typeof setTimeout>>>} */
const timers = {};

bar.hidden = false;
toggle.addEventListener('click', () => (following ? stop() : start()));
addEventListener('online', connect);
document.addEventListener('visibilitychange', () => draw());
document.addEventListener('submit', (event) => void press(event));
setInterval(ping, PING_EVERY_MS);
watchTheClock();
connect();

function connect() {
  clearTimeout(timers.connect);
  if (!following || socket) return;
  const address = new URL('/deputies/live', location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  const opened = new WebSocket(address);
  socket = opened;
  opened.addEventListener('message', ({ data }) => {
    clearTimeout(timers.answer);
    if (data === 'pong') return;
    connectWait = RETRY.first;
    newest = String(data);
    sayLive();
    draw();
  });
  opened.addEventListener('close', ({ code }) => lose(opened, code));
}

/** @param {WebSocket} lost @param {number} [code] */
function lose(lost, code) {
  if (socket !== lost) return;
  hangUp();
  // Another page may have refreshed the session meanwhile, so this is no news yet.
  if (code !== SESSION_OVER) say('lost', NOT_CONNECTED);
  timers.connect = setTimeout(connect, connectWait * (0.75 + Math.random() / 2));
  connectWait = Math.min(connectWait * 2, RETRY.last);
  // Whether the session is over, the page finds out by fetching itself, even when nobody looks.
  stale = true;
  draw({ unseen: true });
}

function hangUp() {
  clearTimeout(timers.answer);
  const open = socket;
  socket = undefined;
  open?.close();
}

function ping() {
  const asked = socket;
  if (asked?.readyState !== WebSocket.OPEN) return;
  asked.send('ping');
  clearTimeout(timers.answer);
  timers.answer = setTimeout(() => lose(asked), PONG_WITHIN_MS);
}

function stop() {
  following = false;
  for (const timer of [timers.connect, timers.redraw, timers.change]) clearTimeout(timer);
  hangUp();
  toggle.textContent = 'Follow live';
  say('off', 'Live updates are off');
}

function start() {
  following = true;
  toggle.textContent = 'Stop following';
  say('lost', 'Connecting…');
  watchTheClock();
  connect();
  // Somebody else may have signed in meanwhile.
  again();
}

/** Fetches the page although there is no news of the record. */
function again() {
  stale = true;
  draw();
}

/** Fetches the page when it is behind: one at a time, and not while nobody looks. */
function draw({ unseen = false } = {}) {
  if (!following || drawing || pressing || (document.hidden && !unseen)) return;
  if (!stale && newest === shown()) return;
  clearTimeout(timers.redraw);
  const due = lastDrawn + DRAW_EVERY_MS - Date.now();
  if (due > 0) timers.redraw = setTimeout(() => draw({ unseen }), due);
  else void redraw();
}

async function redraw() {
  drawing = true;
  lastDrawn = Date.now();
  const heard = newest;
  stale = false;
  const fetched = await fetchPage();
  drawing = false;
  if (!following) return;
  if (fetched) {
    // The page can be ahead of the word about it; what came in between is drawn next.
    if (newest === heard) newest = shown();
    drawWait = RETRY.first;
    sayLive();
    draw();
  } else {
    stale = true;
    say('lost', socket ? NOT_DRAWN : NOT_CONNECTED);
    timers.redraw = setTimeout(draw, drawWait);
    drawWait = Math.min(drawWait * 2, RETRY.last);
  }
}

/** Only what shows the newest line is live. */
function sayLive() {
  if (socket?.readyState === WebSocket.OPEN && newest === shown()) say('on', 'Live');
}

async function fetchPage() {
  try {
    const asked = presses;
    const signal = AbortSignal.timeout(PAGE_WITHIN_MS);
    const response = await fetch(HERE, { redirect: 'manual', headers: { Accept: 'text/html' }, signal });
    if (response.type === 'opaqueredirect') return signedOut();
    const { page, main } = parsed(await response.text());
    if (asked !== presses) return true;
    if (!response.ok || !following || main?.dataset['version'] === undefined) return false;
    // Somebody else has signed in meanwhile, in another page.
    if (!isTheirs(main)) return location.reload();
    await take(page, main);
    return true;
  } catch {
    return false;
  }
}

/**
 * Sends the form of a key, and takes over the page that it leads to. Any other answer is the browser's to show, so the
 * form is sent once more: what stops deputies may be said twice, and what lets them go on names what it lifts.
 *
 * @param {SubmitEvent} event
 */
async function press(event) {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== 'post' || !form.closest('main')) return;
  event.preventDefault();
  if (pressing) return;
  pressing = true;
  presses += 1;
  try {
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === 'string') body.append(name, value);
    const response = await fetch(form.action, { method: 'POST', body, headers: { Accept: 'text/html' } });
    const { page, main } = parsed(await response.text());
    if (main?.dataset['version'] === undefined) return form.submit();
    if (!isTheirs(main)) return location.reload();
    await take(page, main);
  } catch {
    return form.submit();
  } finally {
    pressing = false;
  }
  lastDrawn = Date.now();
  draw();
}

/** @param {string} text */
function parsed(text) {
  const page = new DOMParser().parseFromString(text, 'text/html');
  return { page, main: page.querySelector('main') };
}

/** @param {HTMLElement} main */
const isTheirs = (main) => main.dataset['account'] === element('page').dataset['account'];

/** @param {Document} page @param {HTMLElement} main */
async function take(page, main) {
  const before = lines(document);
  // After the record was erased it begins anew, and all of it is news.
  const last = numberOf(lines(main)[0]) < numberOf(before[0]) ? 0 : numberOf(before[0]);
  const shownAsNew = new Set(before.filter(({ classList }) => classList.contains('new')).map(numberOf));
  const news = lines(main).filter((line) => numberOf(line) > last);
  for (const line of lines(main)) if (news.includes(line) || shownAsNew.has(numberOf(line))) line.classList.add('new');
  const focused = document.activeElement !== document.body;
  // What the human opened stays as it is.
  const callbacks = {
    /** @param {string} name @param {Element} node */
    beforeAttributeUpdated: (name, node) => !(name === 'open' && node.localName === 'details'),
  };
  // Taken before: the morph moves what it can use.
  const said = news.map((line) => ({
    human: 'human' in line.dataset,
    text: line.querySelector('.sentence')?.textContent?.trim(),
  }));
  const isCalm = main.dataset['authority'] === element('page').dataset['authority'];
  const change = () => {
    document.body.className = page.body.className;
    void morph(element('page'), main, { morphStyle: 'outerHTML', callbacks });
    document.title = page.title;
    const [orders, now] = [document, page].map((one) => one.querySelector('.foot a'));
    if (orders && now) orders.textContent = now.textContent;
    document.dispatchEvent(new CustomEvent('redrawn', { detail: said }));
  };
  // The red runs out of the key, as it does between two pages.
  if (isCalm || !document.startViewTransition || matchMedia('(prefers-reduced-motion)').matches) change();
  else await document.startViewTransition(change).updateCallbackDone;
  // What had the focus is gone.
  const next = document.querySelector('#brake [autofocus], #brake .stop');
  if (focused && document.activeElement === document.body && next instanceof HTMLElement)
    next.focus({ preventScroll: true });
  watchTheClock();
}

function signedOut() {
  stop();
  toggle.hidden = true;
  say('lost', 'You are signed out. This page no longer follows. ');
  const link = document.createElement('a');
  link.href = location.href;
  link.textContent = 'Sign in again';
  state.append(link);
  return false;
}

/** Some things change without any act. The server says in how long, because clocks differ. */
function watchTheClock() {
  clearTimeout(timers.change);
  const inside = Number(element('page').dataset['changesIn'] || Infinity);
  // A timer holds 24 days.
  if (inside >= 2 ** 31) return;
  timers.change = setTimeout(again, Math.max(inside, 0) + 1000);
}

/** @param {string} name @param {string} text */
function say(name, text) {
  if (bar.dataset['state'] === name && state.textContent === text) return;
  bar.dataset['state'] = name;
  state.textContent = text;
}

/** The version of the record that the page shows. */
function shown() {
  return element('page').dataset['version'] ?? '';
}

/** The lines of the record that are shown, newest first. @param {ParentNode} root */
function lines(root) {
  return [...root.querySelectorAll('li[data-line]')].filter((line) => line instanceof HTMLElement);
}

/** @param {HTMLElement | undefined} line */
const numberOf = (line) => Number(line?.dataset['line'] ?? 0);

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no #${id} on this page`);
  return found;
}
