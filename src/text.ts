/** Text that comes from outside: what of it is visible, and what it holds as JSON. */

/**
 * What is drawn as nothing: ignorable and format characters, tags, variation selectors, fillers, blanks, noncharacters. Signs
 * that enclose digits are format characters too, and are drawn.
 */
const UNSEEN =
  /(?![\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}])[\u{16fe4}\p{DI}\p{Cf}\p{NChar}\u2800\u{1d159}]/gu;
const BREAKS = /[\p{Cc}\u2028\u2029]/gu;
/** A mark alone has nothing to stand on, and a space shows nothing. */
const DRAWN = /[\p{L}\p{N}\p{P}\p{S}]/u;

/**
 * The text as a person sees it, its line breaks kept, and well-formed. An emoji of several parts falls into its parts, which
 * is the price: what joins them can also spell out a text that nobody sees.
 */
export function seen(text: string): string {
  return text.toWellFormed().replace(UNSEEN, '');
}

/** The text without what cannot be seen or would bend the line it stands in. */
export function visible(text: string): string {
  return seen(text).replace(BREAKS, '').trim();
}

/** Whether anything in it can be seen. */
export function isDrawn(text: string): boolean {
  return DRAWN.test(text);
}

/** Whether a bidirectional control opens something that nothing closes, in its own line. Unicode Annex 9. */
export function staysOpen(text: string): boolean {
  return text.split('\n').some((line) => {
    let embedded = 0;
    let isolates = 0;
    for (const character of line) {
      if (/[\u202a\u202b\u202d\u202e]/.test(character)) embedded += 1;
      if (/[\u2066-\u2068]/.test(character)) isolates += 1;
      if (character === '\u202c') embedded = Math.max(0, embedded - 1);
      if (character === '\u2069') isolates = Math.max(0, isolates - 1);
    }
    return embedded + isolates > 0;
  });
}

/** What somebody else wrote, for a line that a model reads: in quotes that it cannot end, and short. */
export function quoted(text: string): string {
  return JSON.stringify(shortened(visible(text), MAX_QUOTED_LENGTH));
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
const MAX_QUOTED_LENGTH = 40;

/** A client chooses its own name: text only, without what could bend the line it stands in, and short. */
export function displayName(name: string): string {
  const plain = visible(name);
  return isDrawn(plain) ? shortened(plain, MAX_NAME_LENGTH) : 'An app without a name';
}

/** Letters that have twins among the Latin ones: a word of both kinds is made to look like another. */
const MIXED =
  /(?=[\p{L}\p{M}]*\p{Script=Latin})[\p{L}\p{M}]*[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}]/u;
/** What people take for a host, also with the dots of other scripts. */
const HOSTS = /[\p{L}\p{N}-]+(?:[.\u3002\uff61][\p{L}\p{N}-]+)*[.\u3002\uff61]\p{L}[\p{L}\p{N}-]+/gu;

/**
 * Whether a name is what it looks like: no word with letters of look-alike scripts, and no host but `ownHost`. "Node.js" looks
 * like a host too, which is the price.
 */
export function isAsSeen(name: string, ownHost?: string): boolean {
  const plain = visible(name);
  const hosts = plain.normalize('NFKC').toLowerCase().match(HOSTS) ?? [];
  return !MIXED.test(plain) && hosts.every((host) => host === ownHost);
}

function shortened(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length > most ? `${characters.slice(0, most).join('')}…` : text;
}

/** The value of a text of JSON; undefined when it is none. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
