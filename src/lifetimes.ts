/** How long things last. Those that must agree stand together, and are compared when the Worker starts. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
const DAY_SECONDS = 24 * 60 * 60;

/** The longest mandate. Its grant must live at least as long, or the deputy would end early. */
export const LONGEST_MANDATE_MS = 30 * DAY_MS;
export const GRANT_SECONDS = 30 * DAY_SECONDS;
/** A token only says who calls: each call is decided in the ledger. So a long one delays no pause, and saves refreshes. */
export const ACCESS_TOKEN_SECONDS = DAY_SECONDS;

/** How long a human can let a mandate last. */
export const DURATIONS_MS = { hour: HOUR_MS, day: DAY_MS, week: 7 * DAY_MS, month: LONGEST_MANDATE_MS } as const;
export type Duration = keyof typeof DURATIONS_MS;

/** An authorization code, as the OAuth provider issues it, and the appointment that waits for its exchange. */
const CODE_MS = 10 * MINUTE_MS;
export const PENDING_MS = 15 * MINUTE_MS;

/**
 * The first answer to a consent page or a code, for who asks again. It is longer than KV takes to tell everywhere that
 * they are used up, which keeps them from being used from then on.
 */
export const ANSWER_KEPT_MS = 5 * MINUTE_MS;

/** A consent page, as the OAuth provider keeps one. */
export const CONSENT_MS = 10 * MINUTE_MS;

/** A sign-in under way, the browser's session, and a sign-in that counts as fresh: time enough to fill in a form. */
export const SIGN_IN_SECONDS = 10 * 60;
export const SESSION_SECONDS = 30 * DAY_SECONDS;
export const FRESH_SECONDS = 10 * 60;

/** Lines of the record, one by one. The spans of limits are shorter, because replaying counts from these lines. */
export const RECORD_KEPT_MS = 90 * DAY_MS;

/** The key under which a repeated call is recognised. */
export const IDEMPOTENCY_KEPT_MS = DAY_MS;

/** A question to the human, and what it is still recognised by. */
export const ASKED_MS = 10 * MINUTE_MS;
export const ASKED_KEPT_MS = DAY_MS;
/** How long a yes in advance holds. */
export const ALLOWANCE_MS = HOUR_MS;
/** A passkey counts after that long, because a program in the browser could have added it. */
export const PASSKEY_WAITS_MS = DAY_MS;

/** Machines' clocks differ a little. One that is further behind the newest line shows that an earlier one was ahead. */
export const CLOCK_TOLERANCE_MS = MINUTE_MS;

/** Throws when something ends before another thing that needs it. */
export function mustOutlive(what: string, longerMs: number, needed: string, shorterMs: number): void {
  if (longerMs < shorterMs)
    throw new Error(`${what} (${longerMs} ms) must last as long as ${needed} (${shorterMs} ms)`);
}

mustOutlive('a grant', GRANT_SECONDS * 1000, 'the longest mandate', LONGEST_MANDATE_MS);
mustOutlive('a pending appointment', PENDING_MS, 'its code', CODE_MS);
