/** `pnpm demo --reset`: between two talks, one human's pages as on the first day. It presses what that human could press. */
import { Person } from '../dev/clients.ts';
import { type LiveOptions, problemAt } from './live.ts';
import { messageOf, type Stage } from './stage.ts';

/** What was used counts for 24 hours, whatever is deleted, so the account gets room for another talk. */
const ROOM = { shirtsPerDay: '200', spendPerDay: '5000' };

/** Returns the exit code. */
export async function reset(stage: Stage, { origin, email }: LiveOptions): Promise<number> {
  const problem = await problemAt(origin);
  if (problem) {
    stage.line(problem, ['red', 'bold']);
    return 1;
  }
  const person = new Person(email, origin, (input, init) => fetch(input, init));
  const { browser } = person;
  try {
    // Deleting and raising need a sign-in of the last minutes, which this is.
    await browser.submit(await person.walk('/deputies/erase'), '/deputies/erase');
    stage.line('Deputies, orders, profile, demo ban and record are gone.');
    const resume = await browser.open('/deputies/resume');
    if (resume.html.includes('action="/deputies/resume"')) {
      await browser.submit(resume, '/deputies/resume');
      stage.line('The stop is lifted.');
    }
    await browser.submit(await browser.open('/deputies/ceiling'), '/deputies/ceiling', ROOM);
    stage.line(`The account may order ${ROOM.shirtsPerDay} shirts for $${ROOM.spendPerDay} in 24 hours:`);
    stage.line('what was ordered before counts on, so there must be room for it.');
  } catch (error) {
    stage.line(`The pages of ${email} could not be reset: ${messageOf(error).slice(0, 200)}`, ['red', 'bold']);
    return 1;
  }
  stage.line(`\n${origin}/deputies of ${email} is as on the first day.`, 'bold');
  return 0;
}
