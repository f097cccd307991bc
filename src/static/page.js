/** What makes a page handier than its forms: copying, and times that go on. */

for (const button of document.querySelectorAll('button[data-copy]')) offerCopy(button);

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
