/** Loads the Worker before the first test, which would otherwise pay for it inside its own time limit. */
import '../../src/dev/index.ts';
