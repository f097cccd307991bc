/** Names every skipped test with its reason at the end of a run: what was not tested must not go unseen. */
import type { Reporter, TestModule } from 'vitest/node';

export class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      for (const skipped of module.children.allTests('skipped')) {
        const result = skipped.result();
        const note = 'note' in result && result.note ? result.note : 'no reason given';
        console.log(`skipped: ${skipped.fullName} (${note})`);
      }
    }
  }
}
