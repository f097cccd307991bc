/**
 * Allow counts once the page was in front of a person for a moment: a click that was meant for a window which has just gone,
 * or for a page that was here before, appoints nobody. The server asks for the field that is set then. Deny is always free.
 */

/** Milliseconds. Longer than a double click, shorter than anybody reads. */
const ATTENTION_MS = 700;

const form = document.querySelector('form#consent');
const notice = document.querySelector('#too-soon');
const read = document.createElement('input');
read.type = 'hidden';
read.name = 'read';

/** @type {ReturnType<typeof setTimeout> | undefined} */
let attending;

function forget() {
  clearTimeout(attending);
  attending = undefined;
  read.value = '';
}

/** Whatever a person does here counts, so that a keyboard or a screen reader is as good as a mouse. */
function attend() {
  if (attending !== undefined || document.visibilityState !== 'visible' || !document.hasFocus()) return;
  attending = setTimeout(() => (read.value = 'yes'), ATTENTION_MS);
}

if (form) {
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
    attend();
    if (notice) notice.textContent = 'That was too soon to have been read. Read it, then press Allow once more.';
  });
}
