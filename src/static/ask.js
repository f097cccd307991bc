/** Calls the human to a question that waits on the open console: its title blinks, and the browser says it where they allowed that. */

const BLINK_MS = 1000;

/** Questions that were told of already, by the effect that they are about. */
const told = new Set(questions().map(({ id }) => id));
let title = document.title;
let odd = false;

document.addEventListener('redrawn', () => {
  title = document.title;
  look();
});
setInterval(blink, BLINK_MS);
look();

function questions() {
  return [...document.querySelectorAll('[data-asks]')].map((ticket) => ({
    id: ticket.getAttribute('data-asks') ?? '',
    text: (ticket.querySelector('h2') ?? ticket).textContent?.trim() ?? '',
    ticket,
  }));
}

function look() {
  const open = questions();
  for (const { id, text } of open) {
    if (told.has(id)) continue;
    told.add(id);
    if (mayNotify() === 'granted') notify(id, text);
  }
  offer(open[0]?.ticket.querySelector('.keys'));
}

function mayNotify() {
  return 'Notification' in globalThis ? Notification.permission : 'denied';
}

/** @param {string} id @param {string} text */
function notify(id, text) {
  const notification = new Notification(text, { tag: id, body: 'Look and answer on your page.' });
  notification.addEventListener('click', () => {
    focus();
    location.assign(`/deputies/approvals/${id}`);
  });
}

/** Browsers ask only after a press. @param {Element | null | undefined} keys */
function offer(keys) {
  if (!keys || mayNotify() !== 'default' || keys.querySelector('button')) return;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'key mini';
  button.textContent = 'Notify me';
  button.addEventListener('click', async () => {
    await Notification.requestPermission();
    button.remove();
  });
  keys.append(button);
}

function blink() {
  const [first] = questions();
  odd = first !== undefined && !odd;
  const shown = odd ? `● ${first?.text}` : title;
  if (document.title !== shown) document.title = shown;
}
