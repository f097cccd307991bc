/** What makes a page handier than its forms: copying, times that go on, the worst case while one types, and Allow in its time. */

for (const button of document.querySelectorAll('button[data-copy]')) offerCopy(button);
for (const form of document.querySelectorAll('form#consent')) guard(form);
for (const output of document.querySelectorAll('output[data-worst]')) foresee(output);

/** Milliseconds that this clock is behind the server's. */
const behind = Number(document.documentElement.dataset['now'] ?? Date.now()) - Date.now();
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long' });
tick();
setInterval(tick, 1000);
// The script that follows the record has drawn the page again, and says what is new on it.
document.addEventListener('redrawn', (event) => {
  tick();
  if (event instanceof CustomEvent && event.detail.length > 0) announce(event.detail);
});

/** Milliseconds between two announcements to a screen reader. */
const ANNOUNCE_EVERY_MS = 10_000;
let lastAnnounced = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let announcing;

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
    const announced = document.getElementById('live-news');
    if (announced) announced.textContent = news.length > 1 ? `${news.length} new lines. ${text}` : text;
  }, due);
}

/** Without script there are no such buttons. @param {Element} button */
function offerCopy(button) {
  if (!(button instanceof HTMLButtonElement) || !navigator.clipboard) return;
  button.hidden = false;
  // So that a screen reader says what came of it.
  button.setAttribute('aria-live', 'polite');
  const label = [...button.childNodes];
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(button.dataset['copy'] ?? '');
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Select it and copy';
    }
    setTimeout(() => button.replaceChildren(...label), 2000);
  });
}

/** Tells each time in the words of `when.tsx`, where the person is and as it passes. */
function tick() {
  if (document.hidden) return;
  const now = Date.now() + behind;
  for (const time of document.querySelectorAll('time')) {
    const words = inWords(Date.parse(time.dateTime), now, time.dataset['as'] === 'moment');
    if (words !== undefined && time.textContent !== words) time.textContent = words;
  }
  for (const option of document.querySelectorAll('option')) {
    const { at, words } = option.dataset;
    if (at) option.textContent = words?.replace('{}', inWords(Number(at), now, true) ?? '') ?? '';
  }
}

/** @param {number} at @param {number} now @param {boolean} whole */
function inWords(at, now, whole) {
  if (Number.isNaN(at)) return undefined;
  const seconds = Math.floor((now - at) / 1000);
  if (!whole && seconds > -60 && seconds < 60) return seconds < 1 ? 'now' : `${seconds} s ago`;
  if (!whole && seconds >= 0 && seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  if (isToday) return whole ? `today, ${clock.format(at)}` : clock.format(at);
  const year = new Date(at).getFullYear();
  return `${day.format(at)}${year === new Date(now).getFullYear() ? '' : ` ${year}`}, ${clock.format(at)}`;
}

/** Milliseconds. Longer than a double click, shorter than anybody reads. */
const ATTENTION_MS = 700;

/**
 * Allow counts once the page was in front of a person for a moment: a click that was meant for another page appoints nobody.
 * The server asks for the field that is set then. Deny is always free.
 *
 * @param {Element} form
 */
function guard(form) {
  const notice = document.querySelector('#too-soon');
  const read = document.createElement('input');
  read.type = 'hidden';
  read.name = 'read';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let attending;
  const forget = () => {
    clearTimeout(attending);
    attending = undefined;
    read.value = '';
  };
  // Whatever a person does here counts, so that a keyboard or a screen reader is as good as a mouse.
  const attend = (/** @type {Event} */ { type, target }) => {
    // The blank that is to be corrected has the focus without anybody.
    if (type === 'focusin' && target instanceof HTMLElement && target.autofocus) return;
    if (attending !== undefined || document.visibilityState !== 'visible' || !document.hasFocus()) return;
    attending = setTimeout(() => (read.value = 'yes'), ATTENTION_MS);
  };
  form.append(read);
  for (const sign of ['pointermove', 'pointerdown', 'keydown', 'focusin', 'wheel'])
    document.addEventListener(sign, attend, { passive: true });
  for (const end of ['blur', 'pagehide']) window.addEventListener(end, forget);
  document.addEventListener('visibilitychange', forget);
  form.addEventListener('submit', (event) => {
    const button = event instanceof SubmitEvent ? event.submitter : undefined;
    if (read.value === 'yes' || !(button instanceof HTMLButtonElement) || button.value !== 'allow') return;
    event.preventDefault();
    // The moment begins anew, so that no series of clicks comes through.
    forget();
    attend(event);
    if (notice) notice.textContent = 'That was too soon to have been read. Read it, then press Allow once more.';
  });
}

/** What the blanks allow at worst, as they are typed. @param {Element} output */
function foresee(output) {
  const form = output.closest('form');
  if (!(output instanceof HTMLOutputElement) || !form) return;
  /** @typedef {{ fields: string[], left: number | null, scale: number, before: string, after: string, one: string }} Unit */
  /** @type {{ units: Unit[], price: { of: number, in: number, each: number } | null, powers: string[] }} */
  const { units, price, powers } = JSON.parse(output.dataset['worst'] ?? '{}');
  form.addEventListener('input', () => {
    const typed = new FormData(form);
    /** @param {string} name */
    const value = (name) => {
      const text = typed.get(name);
      return typeof text === 'string' ? Number(text.replace(/^\$/, '') || Number.NaN) : Number.NaN;
    };
    const most = units.map(({ fields, left, scale }) =>
      Math.min(left ?? Infinity, ...fields.map((name) => Math.round(value(name) * scale))),
    );
    if (price) {
      most[price.of] = Math.min(most[price.of] ?? 0, Math.floor((most[price.in] ?? 0) / price.each));
      most[price.in] = (most[price.of] ?? 0) * price.each;
    }
    const may = powers.some((scope) => typed.getAll('scope').includes(scope));
    const some = most.every((amount) => amount > 0 && Number.isFinite(amount));
    output.textContent =
      may && some
        ? `${units.map((unit, index) => reads(unit, most[index] ?? 0)).join(', ')}.`
        : may
          ? 'nothing, as it stands.'
          : 'nothing.';
  });
}

/** @param {{ scale: number, before: string, after: string, one: string }} unit @param {number} amount */
function reads({ scale, before, after, one }, amount) {
  if (scale === 1 && amount === 1) return one;
  return `${before}${(amount / scale).toLocaleString('en')}${after}`;
}
