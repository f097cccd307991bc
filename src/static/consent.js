/** The consent page: the worst case while one types, and Allow in its time. */

for (const form of document.querySelectorAll('form#consent')) guard(form);
for (const output of document.querySelectorAll('output[data-worst]')) foresee(output);

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
  document.querySelector('#by-hand')?.remove();
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
    if (notice instanceof HTMLElement) notice.textContent = notice.dataset['says'] ?? '';
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
