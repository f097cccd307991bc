/** Kinds of tool arguments: what each accepts, and the sentence a model reads when it does not. */
import { z } from 'zod';
import { isDrawn, seen, staysOpen, visible } from '../text.ts';

/** Unknown fields that an answer names; a model learns nothing from more. */
const MAX_NAMED = 5;

/** An object that refuses unknown fields, naming those it knows. */
export function strict<Shape extends z.core.$ZodShape>(shape: Shape) {
  const known = Object.keys(shape);
  const takes = known.length > 0 ? `takes only ${known.join(', ')}` : 'takes no arguments';
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `${issue.keys
            .slice(0, MAX_NAMED)
            .map((key) => JSON.stringify(key.slice(0, 40)))
            .join(', ')}: unknown; this tool ${takes}.`
        : `The arguments must be an object; this tool ${takes}.`,
  });
}

/** One line of text, trimmed, without what nobody sees; breaks in what was pasted are spaces. */
export function line(description: string, maxLength: number) {
  return text(description, maxLength, (value) => value.replace(/[\t\r\n\u2028\u2029]+/g, ' '));
}

/** Text that may have line breaks, trimmed, without what nobody sees; tabs in what was pasted are spaces. */
export function paragraph(description: string, maxLength: number) {
  return text(description, maxLength, (value) => value.replace(/\r(?!\n)|[\u2028\u2029]/g, '\n').replace(/\t+/g, ' '));
}

/**
 * A bidirectional control that stays open is refused, because it can make an address read as another one. What is drawn as
 * nothing is taken out: another deputy would read in it what the human cannot see.
 */
function text(description: string, maxLength: number, pasted: (value: string) => string) {
  return z
    .string({ error: 'must be text.' })
    .overwrite((value) => pasted(value).trim())
    .refine((value) => isDrawn(visible(value)), 'must not be empty or blank.')
    .refine(
      (value) => value.isWellFormed() && !/[^\P{Cc}\r\n]/u.test(value) && !staysOpen(value),
      'must not contain control characters or bidirectional overrides.',
    )
    .overwrite((value) => seen(value).trim())
    .max(maxLength, `must be at most ${maxLength} characters.`)
    .describe(`${description} 1 to ${maxLength} characters.`);
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values, description: string) {
  return z.enum(values, { error: `must be one of ${values.join(', ')}.` }).describe(description);
}

export function wholeNumber(description: string, min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}.`;
  return z.int({ error }).min(min, { error }).max(max, { error }).describe(description);
}
