/** How surely a human says yes: the grades of an approval, from the weakest to the strongest. Pure. */

/** Pressed in a session, confirmed by a sign-in of a moment ago, or signed by a passkey for exactly this. */
export const GRADES = ['pressed', 'confirmed', 'device'] as const;
export type Grade = (typeof GRADES)[number];

/** The grade that an approval needs: what the mandate says, or the strongest that the human has. */
export function gradeNeeded(asked: Grade | undefined, { hasDevice }: { hasDevice: boolean }): Grade {
  return asked ?? (hasDevice ? 'device' : 'confirmed');
}

export function isAsStrong(given: Grade, needed: Grade): boolean {
  return GRADES.indexOf(given) >= GRADES.indexOf(needed);
}

/** Whether a mandate that asks for `next` is answered no more easily than one that asks for `current`. */
export function isNoEasier(next: Grade | undefined, current: Grade | undefined): boolean {
  return rankOf(next) >= rankOf(current);
}

/** The strongest that the human has is at least a fresh sign-in, and may be no more. */
function rankOf(grade: Grade | undefined): number {
  return grade === undefined ? GRADES.indexOf('confirmed') + 0.5 : GRADES.indexOf(grade);
}
