/** What counts as visible text, wherever it comes from outside. */

/** Control and format characters, line separators, and letters that are drawn as nothing. */
const INVISIBLE = /[\p{Cc}\p{Cf}\u2028\u2029\u115f\u1160\u2800\u3164\uffa0]/gu;

/** The text without what cannot be seen or would bend the line it stands in. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, '').trim();
}

/** ISO 8601 to the minute, as people read it. */
export function toMinute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

/** Wraps a name in Unicode isolates, for attributes, where `<bdi>` cannot be used. */
export function isolated(name: string): string {
  return `\u2068${name}\u2069`;
}

/** A name as part of a command or a file's name: "MCP Shop" is "mcp-shop". */
export function slugOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}

const MAX_NAME_LENGTH = 60;

/** A client chooses its own name: text only, without what could bend the line it stands in, and short. */
export function displayName(name: string): string {
  const plain = visible(name) || 'An app without a name';
  const characters = Array.from(plain);
  return characters.length > MAX_NAME_LENGTH ? `${characters.slice(0, MAX_NAME_LENGTH).join('')}…` : plain;
}
