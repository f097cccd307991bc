/** The copy buttons of the landing page. Without script there are none, and the text can be selected. */
for (const button of document.querySelectorAll('button[data-copy]')) {
  if (!(button instanceof HTMLButtonElement) || !navigator.clipboard) continue;
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
