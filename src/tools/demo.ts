/** For the stage: a ban that one deputy sets and another feels, and the tools that switch it. It never touches authority. */
import { z } from 'zod';
import { Refusal } from '../authority/refusal.ts';
import { DEMO_MODES, type DemoMode } from '../ledger/demo-mode.ts';
import { type AnyTool, defineKernelTool } from './define-tool.ts';
import { oneOf, strict } from './fields.ts';

/** Throws the Refusal `demo_banned` when the ban is on and the tool heeds it. */
export function refuseBanned({ whenBanned }: AnyTool, mode: DemoMode): void {
  if (whenBanned !== undefined && mode === 'banned') throw new Refusal({ code: 'demo_banned', says: whenBanned });
}

const state = z.object({ mode: z.enum(DEMO_MODES), message: z.string() });

/** The demo tools, which any deputy with the base power may call. `looks` and `acts` are tools to see the ban with. */
export function demoTools(scope: string, looks: string, acts: string): AnyTool[] {
  const shape = {
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    scope,
    demo: true,
    output: state,
  };

  const setDemoMode = defineKernelTool({
    ...shape,
    name: 'setDemoMode',
    title: 'Set the demo mode',
    did: 'set the demo mode',
    description: `FOR DEMO: bans every deputy of your human, or lifts that ban. Call it only when your human asks for the demo. Next: try ${acts}; prettyPlease lifts the ban.`,
    input: strict({ mode: oneOf(DEMO_MODES, `"banned" refuses ${looks} and ${acts}; "normal" allows them.`) }),
    run({ mode }, { ban }) {
      ban.write(mode);
      const message = `Demo mode is now "${mode}" for every deputy of your human.`;
      const next = mode === 'banned' ? `Try ${acts} to see it; prettyPlease lifts it.` : 'Everything works again.';
      return { text: `${message} ${next}`, data: { mode, message } };
    },
  });

  const clearDemoMode = defineKernelTool({
    ...shape,
    name: 'clearDemoMode',
    title: 'Clear the demo mode',
    did: 'cleared the demo mode',
    description: `FOR DEMO: removes the demo state of your human altogether, a ban included. Call it to reset after a demo. Next: ${looks}.`,
    input: strict({}),
    run(_, { ban }) {
      ban.clear();
      const message = 'The demo state is gone; everything is back to normal.';
      return { text: `${message} Next: ${looks}.`, data: { mode: 'normal' as const, message } };
    },
  });

  const prettyPlease = defineKernelTool({
    ...shape,
    name: 'prettyPlease',
    title: 'Say pretty please',
    did: 'said pretty please',
    description:
      'FOR DEMO: asks nicely to be let back in, which lifts a demo ban. It lifts nothing that a human set. Call it when you were refused by the demo ban. Next: repeat the call that was refused.',
    input: strict({}),
    run(_, { ban }) {
      const wasBanned = ban.read() === 'banned';
      ban.write('normal');
      const message = wasBanned
        ? 'Since you ask so nicely: the demo ban is lifted.'
        : 'How polite, but there was no demo ban to lift.';
      return {
        text: `${message} Next: ${looks} or ${acts}.`,
        data: { mode: 'normal' as const, message },
      };
    },
  });

  return [setDemoMode, clearDemoMode, prettyPlease];
}
