/** Work in steps: a generator stops after each, so that others can come in between. */

/** All steps at once, when nobody needs to come in between. */
export function allOf<Result>(steps: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** One step after the other, with whatever waits in between: a call, and above all a pause. */
export async function oneByOne<Result>(steps: Generator<void, Result>): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await scheduler.wait(0);
  }
}
