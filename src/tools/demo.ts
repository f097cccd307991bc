/** Demo tools: a ban that a presenter, or the deputy itself, switches on and off. They never touch real authority. */
import { z } from 'zod';
import { clearDemoMode as clear, DEMO_MODES, readDemoMode, writeDemoMode } from '../shop/demo-mode.ts';
import { defineTool } from './define-tool.ts';
import { oneOf, strict } from './fields.ts';

const annotations = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false };
const state = z.object({ mode: z.enum(DEMO_MODES), message: z.string() });

export const setDemoMode = defineTool({
  name: 'setDemoMode',
  title: 'Set the demo mode',
  description:
    'FOR DEMO: bans every deputy of your human from browsing and buying, or lifts that ban. Call it only when your human asks for the demo. Next: try buyMcpShopItem; prettyPlease lifts the ban.',
  annotations,
  scope: 'shop:browse',
  demo: true,
  input: strict({ mode: oneOf(DEMO_MODES, '"banned" refuses browsing and buying; "normal" allows them.') }),
  output: state,
  run({ mode }, { ledger }) {
    writeDemoMode(ledger.kv, mode);
    const message = `Demo mode is now "${mode}" for every deputy of your human.`;
    const next = mode === 'banned' ? 'Try buyMcpShopItem to see it; prettyPlease lifts it.' : 'Everything works again.';
    return { text: `${message} ${next}`, data: { mode, message } };
  },
});

export const clearDemoMode = defineTool({
  name: 'clearDemoMode',
  title: 'Clear the demo mode',
  description:
    'FOR DEMO: removes the demo state of your human altogether, a ban included. Call it to reset after a demo. Next: listMcpShopInventory.',
  annotations,
  scope: 'shop:browse',
  demo: true,
  input: strict({}),
  output: state,
  run(_, { ledger }) {
    clear(ledger.kv);
    const message = 'The demo state is gone; everything is back to normal.';
    return { text: `${message} Next: listMcpShopInventory.`, data: { mode: 'normal' as const, message } };
  },
});

export const prettyPlease = defineTool({
  name: 'prettyPlease',
  title: 'Say pretty please',
  description:
    'FOR DEMO: asks nicely to be let back in, which lifts a demo ban. It lifts nothing that a human set. Call it when you were refused by the demo ban. Next: repeat the call that was refused.',
  annotations,
  scope: 'shop:browse',
  demo: true,
  input: strict({}),
  output: state,
  run(_, { ledger }) {
    const wasBanned = readDemoMode(ledger.kv) === 'banned';
    writeDemoMode(ledger.kv, 'normal');
    const message = wasBanned
      ? 'Since you ask so nicely: the demo ban is lifted.'
      : 'How polite, but there was no demo ban to lift.';
    return {
      text: `${message} Next: listMcpShopInventory or buyMcpShopItem.`,
      data: { mode: 'normal' as const, message },
    };
  },
});
