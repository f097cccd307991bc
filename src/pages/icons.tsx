/** The drawings that pages have inside: each once at the start of a page, and used by its name. Without script, in any colour. */
import { raw } from 'hono/html';
import type { FC } from 'hono/jsx';
import { domain } from '../domain.ts';

/** In a square of 24. */
const DRAWN = {
  stop: `<path d="M7.9 1.5h8.2l6.4 6.4v8.2l-6.4 6.4H7.9L1.5 16.1V7.9z"/>`,
  lock: `<path d="M6 10V7.5a6 6 0 0 1 12 0V10h1.5v11.5h-15V10zm2.6 0h6.8V7.5a3.4 3.4 0 0 0-6.8 0z"/>`,
  pause: `<path d="M6 4h4.5v16H6zM13.5 4H18v16h-4.5z"/>`,
  star: `<path d="M12 2.2L15.2 8.2L21.9 9.4L17.2 14.3L18.1 21L12 18.1L5.9 21L6.8 14.3L2.1 9.4L8.8 8.2ZM10.7 2.3a1.3 1.3 0 1 1 2.7 0a1.3 1.3 0 1 1 -2.7 0ZM20.4 9.4a1.3 1.3 0 1 1 2.7 0a1.3 1.3 0 1 1 -2.7 0ZM16.7 20.9a1.3 1.3 0 1 1 2.7 0a1.3 1.3 0 1 1 -2.7 0ZM4.6 20.9a1.3 1.3 0 1 1 2.7 0a1.3 1.3 0 1 1 -2.7 0ZM0.9 9.4a1.3 1.3 0 1 1 2.7 0a1.3 1.3 0 1 1 -2.7 0Z"/>`,
  badge: `<path d="M12 3.8L14.7 8.7L20.2 9.7L16.3 13.8L17.1 19.4L12 16.9L6.9 19.4L7.7 13.8L3.8 9.7L9.3 8.7ZM12 2.8a0 0 0 1 1 0 0a0 0 0 1 1 0 0ZM21.1 9.4a0 0 0 1 1 0 0a0 0 0 1 1 0 0ZM17.6 20.2a0 0 0 1 1 0 0a0 0 0 1 1 0 0ZM6.4 20.2a0 0 0 1 1 0 0a0 0 0 1 1 0 0ZM2.9 9.4a0 0 0 1 1 0 0a0 0 0 1 1 0 0Z"/><circle cx="12.0" cy="2.4" r="1.3"/><circle cx="21.5" cy="9.3" r="1.3"/><circle cx="17.9" cy="20.5" r="1.3"/><circle cx="6.1" cy="20.5" r="1.3"/><circle cx="2.5" cy="9.3" r="1.3"/>`,
  seal: `<path d="M12 1l2.6 2.2 3.4-.4.8 3.3 3 1.6-1.2 3.2 1.2 3.2-3 1.6-.8 3.3-3.4-.4L12 22.8l-2.6-2.2-3.4.4-.8-3.3-3-1.6 1.2-3.2L2.2 9.7l3-1.6.8-3.3 3.4.4z"/><path fill="none" stroke="var(--sheet)" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round" d="M8 12l3 3 5-6"/>`,
  cross: `<path fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round" d="M6 6 18 18M18 6 6 18"/>`,
  check: `<path fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round" d="M4.5 12.5 10 18 19.5 6.5"/>`,
  ask: `<path fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round" d="M8 8.5a4 4 0 1 1 5.6 3.7c-1.2.5-1.6 1.2-1.6 2.5"/><path d="M12 17.5a1.6 1.6 0 1 0 .01 0z"/>`,
  next: `<path fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" d="M5 12h14M13 6l6 6-6 6"/>`,
  down: `<path fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" d="M12 4v12M6.5 11l5.5 5.5 5.5-5.5M4 20.5h16"/>`,
  key: `<path fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" d="M14.5 9.5a4.5 4.5 0 1 1-4.5-4.5 4.5 4.5 0 0 1 4.5 4.5zM13 12.5l7.5 7.5M17.5 17l2-2"/>`,
  laptop: `<path fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" d="M5 5h14v10H5zM2 19h20"/>`,
} as const;

export type IconName = keyof typeof DRAWN;

/** The domain's own things are in a square of 32. Where it draws none, a star stands for one. */
const THING = domain.look?.thing ?? `<g transform="scale(1.333)">${DRAWN.star}</g>`;
const STAR = domain.look?.star ?? '';

const THINGS = `<symbol id="pip" viewBox="0 0 32 32">${THING}</symbol><symbol id="tee" viewBox="0 0 32 32"><use href="#pip"/>${STAR}</symbol>`;

/** All that a page may use; without `only`, every one. */
export const Symbols: FC<{ only?: readonly IconName[] | undefined }> = ({ only }) => {
  const symbols = Object.entries(DRAWN)
    .filter(([name]) => only?.some((one) => one === name) ?? true)
    .map(([name, drawn]) => `<symbol id="${name}" viewBox="0 0 24 24">${drawn}</symbol>`);
  return raw(`<svg width="0" height="0" class="hidden" aria-hidden="true">${symbols.join('')}${THINGS}</svg>`);
};

/** Beside words: it says nothing by itself. */
export const Icon: FC<{ of: IconName; class?: string }> = ({ of, class: name = 'i' }) => (
  <svg class={name} viewBox="0 0 24 24" aria-hidden="true">
    <use href={`#${of}`} />
  </svg>
);

/** A thing of the domain, in a colour of the style sheet. */
export const Thing: FC<{ class?: string }> = ({ class: tint = '' }) => (
  <svg class={`tee ${tint}`} viewBox="0 0 32 32" aria-hidden="true">
    <use href="#tee" />
  </svg>
);
