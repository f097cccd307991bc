/**
 * Keeps /deputies up to date. A socket says where the record stands; a page that is behind fetches itself again and takes
 * over what has changed. So there is one way to draw the page, on the server, and whoever is signed out gets nothing.
 */

/** Milliseconds. The first wait before another try; each further one is twice as long, up to the last. */
const RETRY = { first: 500, last: 15_000 };
/** Milliseconds between signs of life, and how long the answer may take. */
const PING_EVERY = 20_000;
const PONG_WITHIN = 10_000;
const PAGE_WITHIN = 15_000;
/** Milliseconds between two drawings, and between two announcements to a screen reader. */
const DRAW_EVERY = 400;
const ANNOUNCE_EVERY = 10_000;
const SESSION_OVER = 4401;

/** The library that takes over what changed; it was loaded before this script. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a script before this one has put there
const { morph } = /** @type {typeof globalThis & typeof import('idiomorph')} */ (globalThis).Idiomorph;

const bar = element('live');
const state = element('live-state');
const announced = element('live-news');
const toggle = element('live-toggle');

/** @type {WebSocket | undefined} */
let socket;
/** Where the record stands, as the socket said last. */
let newest = shown();
let wait = RETRY.first;
let redrawWait = RETRY.first;
let on = true;
let signedOut = false;
let drawing = false;
let lastDrawn = 0;
let lastAnnounced = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let retrying;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let redrawing;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let changing;

bar.hidden = false;
toggle.addEventListener('click', () => (on ? stop() : start()));
addEventListener('online', () => on && !socket && connect());
document.addEventListener('visibilitychange', () => document.hidden || draw());
setInterval(ping, PING_EVERY);
watchTheClock();
connect();

function connect() {
  clearTimeout(retrying);
  if (socket) return;
  const address = new URL('/deputies/live', location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  const opened = new WebSocket(address);
  socket = opened;
  opened.addEventListener('message', ({ data }) => {
    clearTimeout(answering);
    if (data === 'pong') return;
    wait = RETRY.first;
    newest = String(data);
    sayLive();
    draw();
  });
  opened.addEventListener('close', ({ code }) => lose(opened, code));
}

/** @param {WebSocket} lost @param {number} [code] */
function lose(lost, code) {
  if (socket !== lost) return;
  socket = undefined;
  clearTimeout(answering);
  lost.close();
  if (!on) return;
  // The session may have been refreshed by another page meanwhile: whether it is over, the page itself finds out.
  if (code === SESSION_OVER) return void fetchPage().then(() => signedOut || again());
  say('lost', 'Not connected. What you see may be out of date. Trying again…');
  again();
}

function again() {
  clearTimeout(retrying);
  retrying = setTimeout(
    () => {
      connect();
      // Refused before it opened: a page that is signed out learns it by fetching itself.
      void fetchPage();
    },
    wait * (0.75 + Math.random() / 2),
  );
  wait = Math.min(wait * 2, RETRY.last);
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let answering;

function ping() {
  const asked = socket;
  if (asked?.readyState !== WebSocket.OPEN) return;
  asked.send('ping');
  clearTimeout(answering);
  answering = setTimeout(() => lose(asked), PONG_WITHIN);
}

function stop() {
  on = false;
  clearTimeout(retrying);
  socket?.close();
  socket = undefined;
  toggle.textContent = 'Follow live';
  say('off', 'Live updates are off');
}

function start() {
  on = true;
  toggle.textContent = 'Stop live updates';
  say('lost', 'Connecting…');
  connect();
}

/** Fetches the page when it is behind: not more often than one can see, and not while nobody looks. */
function draw() {
  if (drawing || document.hidden || signedOut || newest === shown()) return;
  clearTimeout(redrawing);
  const due = lastDrawn + DRAW_EVERY - Date.now();
  if (due > 0) return void (redrawing = setTimeout(draw, due));
  void redraw();
}

async function redraw() {
  drawing = true;
  lastDrawn = Date.now();
  const fetched = await fetchPage();
  drawing = false;
  if (fetched) {
    redrawWait = RETRY.first;
    sayLive();
    // What came in between.
    draw();
  } else if (on) {
    say('lost', 'The newest lines cannot be shown at the moment. Trying again…');
    redrawing = setTimeout(draw, redrawWait);
    redrawWait = Math.min(redrawWait * 2, RETRY.last);
  }
}

/** Only what shows the newest line is live. */
function sayLive() {
  if (on && socket && newest === shown()) say('on', 'Live');
}

async function fetchPage() {
  try {
    const signal = AbortSignal.timeout(PAGE_WITHIN);
    const response = await fetch(location.href, { redirect: 'manual', headers: { Accept: 'text/html' }, signal });
    if (response.type === 'opaqueredirect') return over();
    if (!response.ok) return false;
    take(new DOMParser().parseFromString(await response.text(), 'text/html'));
    return true;
  } catch {
    return false;
  }
}

/** @param {Document} page */
function take(page) {
  const known = lineNumbers(document);
  const main = page.querySelector('main');
  if (!main) return;
  for (const item of main.querySelectorAll('li[data-line]')) {
    if (item instanceof HTMLElement && Number(item.dataset['line']) > known.last) item.classList.add('new');
  }
  // What the human opened or chose stays as it is.
  const chosen = selects().map(({ name, value }) => ({ name, value }));
  const callbacks = {
    /** @param {string} name @param {Element} node */
    beforeAttributeUpdated: (name, node) => !(name === 'open' && node.localName === 'details'),
    /** @param {Element} node */
    beforeNodeMorphed: (node) => !(node instanceof HTMLElement && node.id === 'live'),
  };
  void morph(element('page'), main, { morphStyle: 'outerHTML', callbacks });
  for (const select of selects()) select.value = chosen.find(({ name }) => name === select.name)?.value ?? select.value;
  document.title = page.title;
  watchTheClock();
  announce(lineNumbers(document).items.filter((item) => Number(item.dataset['line']) > known.last));
}

/** @param {HTMLElement[]} items */
function announce(items) {
  const [last] = items;
  if (!last || Date.now() - lastAnnounced < ANNOUNCE_EVERY) return;
  lastAnnounced = Date.now();
  const sentence = last.querySelector('.sentence')?.textContent ?? '';
  announced.textContent = items.length > 1 ? `${items.length} new lines. The last: ${sentence}` : sentence;
}

function over() {
  signedOut = true;
  on = false;
  clearTimeout(retrying);
  socket?.close();
  socket = undefined;
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
  if (inside < 2 ** 31) changing = setTimeout(() => void fetchPage(), Math.max(inside, 0) + 1000);
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

/** @param {ParentNode} root */
function lineNumbers(root) {
  const items = [...root.querySelectorAll('li[data-line]')].filter((item) => item instanceof HTMLElement);
  return { items, last: Math.max(0, ...items.map((item) => Number(item.dataset['line']))) };
}

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no #${id} on this page`);
  return found;
}
