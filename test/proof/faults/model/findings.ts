/** What a check found. It goes on after a violation, so that one fault does not hide another. */
export class Findings {
  readonly violations: string[] = [];
  checks = 0;

  /** Counts a check, and notes the violation when it does not hold. */
  expect(holds: boolean, violation: () => string): void {
    this.checks += 1;
    if (!holds) this.violations.push(violation());
  }
}

/** How many there are of each name. */
export function tally(names: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
