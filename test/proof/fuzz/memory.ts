/** Whether the memory of the server stayed flat once it was warm. */
const MIB = 2 ** 20;
/** Between two collections of garbage the memory differs by about as much. */
const TOLERANCE = { share: 0.1, bytes: 32 * MIB };
/** With fewer samples the server has not even warmed up. */
const ENOUGH = 300;

/** Compares the last third of the samples (bytes) with the one before; the first is warm-up. */
export function flat(samples: readonly number[], say: (line: string) => void): string[] {
  if (samples.length < ENOUGH) {
    say('Memory: not judged, the run is too short for it.');
    return [];
  }
  const third = Math.floor(samples.length / 3);
  const [middle, last] = [mean(samples.slice(third, 2 * third)), mean(samples.slice(2 * third))];
  const most = middle * (1 + TOLERANCE.share) + TOLERANCE.bytes;
  const sentence = `resident memory of workerd: ${mib(middle)} on average in the second third, ${mib(last)} in the last; up to ${mib(most)} counts as flat`;
  say(`Memory: ${sentence}.`);
  return last > most ? [`memory grows: ${sentence}`] : [];
}

function mean(values: readonly number[]): number {
  return values.reduce((one, other) => one + other, 0) / values.length;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}
