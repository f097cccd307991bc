/** Errors of OAuth, as clients read them. */

/** As the provider's own answers are: these routes take no cookies. */
export const OPEN_TO_BROWSERS = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'Retry-After' };

/** Nobody on the way keeps an answer that tokens can be in. RFC 6749, section 5.1. */
export const KEPT_BY_NOBODY = { 'Cache-Control': 'no-store', Pragma: 'no-cache' };

/** An error of the token endpoint or the registration. RFC 6749, section 5.2; RFC 7591, section 3.2.2. */
export function refusal(
  status: number,
  error: string,
  description: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json(
    { error, error_description: inAscii(description) },
    { status, headers: { ...OPEN_TO_BROWSERS, ...KEPT_BY_NOBODY, ...headers } },
  );
}

/** A description in the characters that it may have: printable ASCII without quote and backslash. RFC 6749, section 5.2. */
export function inAscii(description: string): string {
  return description.replaceAll('"', "'").replace(/[^\x20-\x5b\x5d-\x7e]/gu, '?');
}

/** The answer to a request that may work in so many seconds. */
export function tryAgain(seconds: number, why: string): Response {
  return refusal(503, 'temporarily_unavailable', `${why} Try again in a moment.`, { 'Retry-After': String(seconds) });
}

/** Thrown where an answer has to pass through code that is not ours. */
export class Answered extends Error {
  readonly answer: Response;

  constructor(answer: Response) {
    super(`answered with ${answer.status}`);
    this.answer = answer;
  }
}
