/**
 * Keeps /deputies up to date. A socket says where the record stands; a page that is behind fetches itself again and takes
 * over what has changed. So there is one way to draw the page, on the server, and whoever is signed out gets nothing.
 */

/** Milliseconds. The first wait before another try; each further one is twice as long, up to the last. */
const RETRY = { first: 500, last: 15_000 };
/** Milliseconds between signs of life, and how long the answer may take. */
const PING_EVERY_MS = 20_000;
const PONG_WITHIN_MS = 10_000;
const PAGE_WITHIN_MS = 15_000;
/** Milliseconds between two drawings, and between two announcements to a screen reader. */
const DRAW_EVERY_MS = 400;
const ANNOUNCE_EVERY_MS = 10_000;
const SESSION_OVER = 4401;

const NOT_CONNECTED = 'Not connected. What you see may be out of date. Trying again…';
const NOT_DRAWN = 'The newest lines cannot be shown at the moment. Trying again…';

/** The library that takes over what changed; it was loaded before this script. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a script before this one has put there
const { morph } = /** @type {typeof globalThis & typeof import('idiomorph')} */ (globalThis).Idiomorph;

const bar = element('live');
const state = element('live-state');
const announced = element('live-news');
const toggle = element('live-toggle');

/** @typedef {ReturnType<typeof setTimeout> | undefined} Timer */

/** @type {WebSocket | undefined} */
let socket;
/** Where the record stands, as far as this page knows. */
let newest = shown();
/** Whether the page is to be fetched although there is no news of the record. */
let stale = false;
let following = true;
let drawing = false;
let lastDrawn = 0;
let lastAnnounced = 0;
let connectWait = RETRY.first;
let drawWait = RETRY.first;
/** @type {Timer} */
let connecting;
/** @type {Timer} */
let redrawing;
/** @type {Timer} */
let changing;
/** @type {Timer} */
let answering;
/** @type {Timer} */
let announcing;

bar.hidden = false;
toggle.addEventListener('click', () => (following ? stop() : start()));
addEventListener('online', connect);
document.addEventListener('visibilitychange', () => draw());
setInterval(ping, PING_EVERY_MS);
watchTheClock();
connect();

function connect() {
  clearTimeout(connecting);
  if (!following || socket) return;
  const address = new URL('/deputies/live', location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  const opened = new WebSocket(address);
  socket = opened;
  opened.addEventListener('message', ({ data }) => {
    clearTimeout(answering);
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
  connecting = setTimeout(connect, connectWait * (0.75 + Math.random() / 2));
  connectWait = Math.min(connectWait * 2, RETRY.last);
  // Whether the session is over, the page finds out by fetching itself, even when nobody looks.
  stale = true;
  draw({ unseen: true });
}

function hangUp() {
  clearTimeout(answering);
  const open = socket;
  socket = undefined;
  open?.close();
}

function ping() {
  const asked = socket;
  if (asked?.readyState !== WebSocket.OPEN) return;
  asked.send('ping');
  clearTimeout(answering);
  answering = setTimeout(() => lose(asked), PONG_WITHIN_MS);
}

function stop() {
  following = false;
  for (const timer of [connecting, redrawing, changing]) clearTimeout(timer);
  hangUp();
  toggle.textContent = 'Follow live';
  say('off', 'Live updates are off');
}

function start() {
  following = true;
  toggle.textContent = 'Stop live updates';
  say('lost', 'Connecting…');
  watchTheClock();
  connect();
  // Somebody else may have signed in meanwhile.
  stale = true;
  draw();
}

/** Fetches the page when it is behind: one at a time, not more often than one can see, and not while nobody looks. */
function draw({ unseen = false } = {}) {
  if (!following || drawing || (document.hidden && !unseen)) return;
  if (!stale && newest === shown()) return;
  clearTimeout(redrawing);
  const due = lastDrawn + DRAW_EVERY_MS - Date.now();
  if (due > 0) redrawing = setTimeout(() => draw({ unseen }), due);
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
    redrawing = setTimeout(draw, drawWait);
    drawWait = Math.min(drawWait * 2, RETRY.last);
  }
}

/** Only what shows the newest line is live. */
function sayLive() {
  if (socket?.readyState === WebSocket.OPEN && newest === shown()) say('on', 'Live');
}

async function fetchPage() {
  try {
    const signal = AbortSignal.timeout(PAGE_WITHIN_MS);
    const response = await fetch(location.href, { redirect: 'manual', headers: { Accept: 'text/html' }, signal });
    if (response.type === 'opaqueredirect') return signedOut();
    const text = await response.text();
    if (!response.ok || !following) return false;
    const page = new DOMParser().parseFromString(text, 'text/html');
    const main = page.querySelector('main');
    if (!main) return false;
    // Somebody else has signed in meanwhile, in another page.
    if (main.dataset['account'] !== element('page').dataset['account']) return location.reload();
    take(page.title, main);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} title @param {HTMLElement} main */
function take(title, main) {
  const before = lines(document);
  // After the record was erased it begins anew, and all of it is news.
  const last = numberOf(lines(main)[0]) < numberOf(before[0]) ? 0 : numberOf(before[0]);
  const shownAsNew = new Set(before.filter(({ classList }) => classList.contains('new')).map(numberOf));
  const news = lines(main).filter((line) => numberOf(line) > last);
  for (const line of lines(main)) if (news.includes(line) || shownAsNew.has(numberOf(line))) line.classList.add('new');
  const focused = document.activeElement !== document.body;
  // What the human opened or chose stays as it is.
  const chosen = selects().map(({ name, value }) => ({ name, value }));
  const callbacks = {
    /** @param {string} name @param {Element} node */
    beforeAttributeUpdated: (name, node) => !(name === 'open' && node.localName === 'details'),
    /** @param {Element} node */
    beforeNodeMorphed: (node) => !(node instanceof HTMLElement && node.id === 'live'),
  };
  // Taken before: the morph moves what it can use.
  const said = news.map((line) => ({ human: line.classList.contains('human'), text: sentenceOf(line) }));
  void morph(element('page'), main, { morphStyle: 'outerHTML', callbacks });
  for (const select of selects()) select.value = chosen.find(({ name }) => name === select.name)?.value ?? select.value;
  document.title = title;
  // What had the focus is gone: the button that stops everything, or the way to go on, is never a wrong place.
  if (focused && document.activeElement === document.body) {
    const brake = document.querySelector('#brake button, #brake a');
    if (brake instanceof HTMLElement) brake.focus({ preventScroll: true });
  }
  watchTheClock();
  if (said.length > 0) announce(said);
}

/**
 * Tells a screen reader: what the human did at once, the rest not more often than one can listen to.
 *
 * @param {{ human: boolean, text: string }[]} news The newest first.
 */
function announce(news) {
  clearTimeout(announcing);
  const act = news.find(({ human }) => human);
  const due = act ? 0 : Math.max(lastAnnounced + ANNOUNCE_EVERY_MS - Date.now(), 0);
  const { text } = act ?? news[0] ?? { text: '' };
  announcing = setTimeout(() => {
    lastAnnounced = Date.now();
    announced.textContent = news.length > 1 ? `${news.length} new lines. ${text}` : text;
  }, due);
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

/** Some things change without any act: an end comes, a limit frees up. The server says in how long: clocks differ. */
function watchTheClock() {
  clearTimeout(changing);
  const inside = Number(element('page').dataset['changesIn'] || Infinity);
  // A timer holds 24 days.
  if (inside >= 2 ** 31) return;
  changing = setTimeout(
    () => {
      stale = true;
      draw();
    },
    Math.max(inside, 0) + 1000,
  );
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

function selects() {
  return [...document.querySelectorAll('select')];
}

/**
 * The lines of the record that are shown, newest first.
 *
 * @param {ParentNode} root
 */
function lines(root) {
  return [...root.querySelectorAll('li[data-line]')].filter((line) => line instanceof HTMLElement);
}

/** @param {HTMLElement | undefined} line */
function numberOf(line) {
  return Number(line?.dataset['line'] ?? 0);
}

/** @param {HTMLElement} line */
function sentenceOf(line) {
  return line.querySelector('.sentence')?.textContent?.trim() ?? '';
}

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no #${id} on this page`);
  return found;
}
