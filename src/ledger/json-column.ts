/** A column that holds JSON of one shape. What was read or written before is not parsed again. */
import type { z } from 'zod';

/** Values kept for each column: those of a few deputies that call at the same time. */
const MAX_KEPT = 32;

/**
 * Remembers values by their text, so a value is never older than its row. They are shared: never change one, make a new
 * one.
 */
export class JsonColumn<Value> {
  readonly #schema: z.ZodType<Value>;
  readonly #known = new Map<string, Value>();

  constructor(schema: z.ZodType<Value>) {
    this.#schema = schema;
  }

  /** Throws when the text is not of this shape. */
  read(text: string): Value {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    return this.#keep(text, this.#schema.parse(JSON.parse(text)));
  }

  /** The text of a value that its type vouches for. */
  write(value: Value): string {
    const text = JSON.stringify(value);
    this.#keep(text, value);
    return text;
  }

  #keep(text: string, value: Value): Value {
    this.#known.set(text, value);
    if (this.#known.size > MAX_KEPT) this.#known.delete(this.#known.keys().next().value ?? '');
    return value;
  }
}
