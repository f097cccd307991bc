/** Times as people read them: how long ago, then the clock where they are, then the day. In UTC when one points at it. */
import type { FC } from 'hono/jsx';

/** The present in milliseconds, and the person's time zone, as far as Cloudflare knows it. */
export type Clock = { now: number; zone: string | undefined };

export function clockOf(request: Request, now = Date.now()): Clock {
  const zone = request.cf?.['timezone'];
  return { now, zone: typeof zone === 'string' ? zone : undefined };
}

type Shown = {
  /** ISO 8601, or milliseconds since the epoch. */
  at: string | number;
  clock: Clock;
  /** A moment, such as an end, instead of how long ago. */
  moment?: boolean;
};

/** The script in `page.js` goes on where this stops, in the same words. */
export const When: FC<Shown> = ({ at, clock, moment }) => {
  const time = typeof at === 'number' ? at : Date.parse(at);
  const iso = new Date(time).toISOString();
  return (
    <time datetime={iso} title={`${iso.slice(0, 19).replace('T', ' ')} UTC`} {...(moment && { 'data-as': 'moment' })}>
      {timeInWords(time, clock, moment)}
    </time>
  );
};

/** "2 s ago", "11:06", "2 December, 11:06". Where nobody knows the person's zone, it is UTC and says so. */
export function timeInWords(at: number, { now, zone }: Clock, whole = false): string {
  const seconds = Math.floor((now - at) / 1000);
  if (!whole && seconds > -60 && seconds < 60) return seconds < 1 ? 'now' : `${seconds} s ago`;
  if (!whole && seconds >= 0 && seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  const { clock, day, year, today } = formatsIn(zone);
  const time = `${clock.format(at)}${zone === undefined ? ' UTC' : ''}`;
  if (today.format(at) === today.format(now)) return whole ? `today, ${time}` : time;
  const itsYear = year.format(at);
  return `${day.format(at)}${itsYear === year.format(now) ? '' : ` ${itsYear}`}, ${time}`;
}

type Formats = Record<'clock' | 'day' | 'year' | 'today', Intl.DateTimeFormat>;
/** Kept, because making them takes far longer than using them. There are a few hundred zones. */
const known = new Map<string | undefined, Formats>();

function formatsIn(zone: string | undefined): Formats {
  const before = known.get(zone);
  if (before) return before;
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone ?? 'UTC' });
  const formats = {
    clock: format({ timeStyle: 'short' }),
    day: format({ day: 'numeric', month: 'long' }),
    year: format({ year: 'numeric' }),
    today: format({ dateStyle: 'short' }),
  };
  known.set(zone, formats);
  return formats;
}
