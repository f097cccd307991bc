/** Requests that wait for the human's yes, on the console: each is a ticket with a stub. There are none to wait yet. */
import type { FC } from 'hono/jsx';

/** Drawn above the last minutes, as `section.ask.sheet` of the style sheet. Nothing, when nothing waits. */
export const WaitingRequests: FC<{ requests: readonly never[] }> = ({ requests }) =>
  requests.length === 0 ? null : <section class="ask sheet" aria-label="Waiting for you"></section>;
