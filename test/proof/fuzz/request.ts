/** One hostile request as it goes over the wire. What is secret in it stands as ⟦name⟧ until it is sent. */

export type HostileRequest = {
  /** Which part of the server it is about, for the tally. */
  about: string;
  /** Who sends it: nobody known, a deputy with its token, or a human with their browser's cookies. */
  who: 'anonymous' | `deputy:${number}` | 'human';
  method: string;
  /** Path and query. */
  path: string;
  headers: Record<string, string>;
  body?: { text: string; encoding: 'utf8' | 'latin1' | 'utf16le'; chunked: boolean };
  /** Whether it may be a tool call, which has a line in the record of the deputy's human. */
  mayBeCall?: boolean;
};

export type Answer = {
  status: number;
  headers: Record<string, string>;
  cookies: string[];
  text: string;
};

/** How it reads in a report. */
export function describe({ who, method, path, headers, body }: HostileRequest): string {
  const lines = [`${method} ${path}   (${who})`];
  for (const [name, value] of Object.entries(headers)) lines.push(`  ${name}: ${short(value)}`);
  if (body)
    lines.push(`  ${body.encoding}${body.chunked ? ', chunked' : ''}: ${short(JSON.stringify(body.text), 600)}`);
  return lines.join('\n');
}

export function short(value: string, most = 200): string {
  return value.length > most ? `${value.slice(0, most)}… (${value.length} characters)` : value;
}
