/**
 * Has a passkey sign what a form says, or makes a new one, and then sends the form. Without it a form that needs a passkey
 * does nothing: the server asks for what only the device can make.
 */

document.addEventListener('submit', (event) => {
  const button = event instanceof SubmitEvent ? event.submitter : undefined;
  const form = event.target;
  if (!(button instanceof HTMLButtonElement) || !(form instanceof HTMLFormElement)) return;
  forget(form);
  if (!button.dataset['device']) return;
  event.preventDefault();
  void sign(form, button);
});

/** @param {HTMLFormElement} form @param {HTMLButtonElement} button */
async function sign(form, button) {
  const field = form.querySelector('[data-options]');
  if (!(field instanceof HTMLInputElement) || button.disabled) return;
  const says = form.querySelector('[data-device-says]');
  const options = JSON.parse(field.dataset['options'] ?? '{}');
  const next = form.querySelector('[name=next]');
  if (next instanceof HTMLInputElement && next.checked) options.challenge = field.dataset['next'];
  button.disabled = true;
  try {
    field.value = JSON.stringify(await answer(button.dataset['device'] === 'create', options));
    if (button.name) form.append(pressed(button));
    form.submit();
  } catch (error) {
    button.disabled = false;
    if (says) says.textContent = whyNot(error);
  }
}

/** @param {boolean} isNew @param {any} options */
async function answer(isNew, options) {
  const made = isNew
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  if (!(made instanceof PublicKeyCredential)) throw new Error('no passkey');
  return made.toJSON();
}

/** @param {unknown} error */
function whyNot(error) {
  const name = error instanceof Error ? error.name : '';
  if (name === 'InvalidStateError') return 'This device has a passkey for this page already.';
  if (name === 'NotAllowedError')
    return 'Your device did not confirm it. Nothing was sent; press once more to try again.';
  return 'This browser cannot use a passkey here. Nothing was sent.';
}

/**
 * What an earlier press put in, while its answer does not come or after a way back, is no part of this one.
 * @param {HTMLFormElement} form
 */
function forget(form) {
  const field = form.querySelector('[data-options]');
  if (field instanceof HTMLInputElement) field.value = '';
  form.querySelector('[data-pressed]')?.remove();
}

/** @param {HTMLButtonElement} button */
function pressed({ name, value }) {
  const input = document.createElement('input');
  input.type = 'hidden';
  input.name = name;
  input.value = value;
  input.dataset['pressed'] = '';
  return input;
}
