/** Waiting for somebody else's service, and no longer than that. */
const LATE = Symbol('late');

/** The promise's value, or what `late` returns or throws once the time is over. What was begun goes on by itself. */
export async function within<Result>(
  milliseconds: number,
  promise: Promise<Result>,
  late: () => Result,
): Promise<Result> {
  const { promise: over, resolve } = Promise.withResolvers<typeof LATE>();
  const timer = setTimeout(() => resolve(LATE), milliseconds);
  try {
    const result = await Promise.race([promise, over]);
    return result === LATE ? late() : result;
  } finally {
    clearTimeout(timer);
  }
}
