/** What counts as visible text, wherever it comes from outside. */

/** Control and format characters, line separators, and letters that are drawn as nothing. */
const INVISIBLE = /[\p{Cc}\p{Cf}\u2028\u2029\u115f\u1160\u2800\u3164\uffa0]/gu;

/** The text without what cannot be seen or would bend the line it stands in. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, '').trim();
}
