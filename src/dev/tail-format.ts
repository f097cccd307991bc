/** How `pnpm tail` shows one event of `wrangler tail --format json`. */
import { z } from 'zod';
import { visible } from '../log.ts';

const tailEvent = z.object({
  outcome: z.string(),
  eventTimestamp: z.number().nullish(),
  exceptions: z.array(z.looseObject({ name: z.string().optional(), message: z.unknown() })).default([]),
  logs: z
    .array(z.object({ level: z.string(), timestamp: z.number().optional(), message: z.array(z.unknown()) }))
    .default([]),
});
const structured = z.looseObject({ event: z.string(), ms: z.number().optional() });

/** The lines of one event, or undefined when the text is not the whole event yet. */
export function readable(text: string): string[] | undefined {
  const json = parsed(text);
  if (json === undefined) return undefined;
  const event = tailEvent.safeParse(json);
  if (!event.success) return [text.trim()];
  const { logs, exceptions, outcome, eventTimestamp } = event.data;
  const lines = logs.map(({ level, timestamp, message }) => lineOf(level, timestamp ?? eventTimestamp, message));
  for (const { name, message } of exceptions)
    lines.push(`${clock(eventTimestamp)} EXCEPTION ${name ?? ''} ${String(message)}`);
  if (outcome !== 'ok') lines.push(`${clock(eventTimestamp)} OUTCOME ${outcome}`);
  // A terminal obeys what it is shown, and an error can hold what a stranger sent.
  return lines.map(visible);
}

function lineOf(level: string, timestamp: number | null | undefined, message: unknown[]): string {
  const [first] = message;
  const event = structured.safeParse(typeof first === 'string' ? parsed(first) : first);
  const start = `${clock(timestamp)} ${level === 'error' ? 'ERROR ' : ''}`;
  if (!event.success) return start + message.map(String).join(' ');
  const { event: name, ms, ...rest } = event.data;
  const fields = Object.entries(rest).map(([key, value]) => `${key}=${String(value)}`);
  return `${start}${name.padEnd(8)} ${fields.join(' ')}${ms === undefined ? '' : ` ${ms} ms`}`;
}

function clock(timestamp: number | null | undefined): string {
  return timestamp ? new Date(timestamp).toISOString().slice(11, 23) : '--:--:--.---';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
