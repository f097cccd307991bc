/** Scratch. */
import { bundle, changed, UNLIMITED } from './bundle.ts';
import { measure, median, ratios } from './measure.ts';
import { expectSuccess, toolCall } from './raw-client.ts';
import * as C from './contestants.ts';
const rounds = Number(process.argv[2] ?? 5),
  ms = Number(process.argv[3] ?? 500),
  base = process.argv[4] ?? '../../main/src/index.ts';
const floor = await (C as any).startFloor();
const shops: any = {};
for (const [n, e] of [
  ['base', base],
  ['fast', 'src/index.ts'],
] as const)
  if (e !== 'none') shops[n] = await C.ShopContestant.start(changed(await bundle(e), UNLIMITED));
if (process.env.NOLOG) shops.nolog = await C.ShopContestant.start(changed(changed(await bundle("src/index.ts"), UNLIMITED), [["console[level](visible(JSON.stringify(event)));", ""]]));
const era = "2026-07-28";
for (const [what, name, args, path] of [
  ['inventory', 'listMcpShopInventory', {}, '/mcp'],
  ['purchase', 'buyMcpShopItem', C.PURCHASE, '/put'],
  ['refused', 'buyMcpShopItem', { ...C.PURCHASE, quantity: 99 }, '/mcp'],
] as const) {
  const lanes = [floor.lane('floor', C.floorCalls('one user', name, args as any), () => {}, path)];
  for (const [n, s] of Object.entries<any>(shops))
    for (const e of (process.argv[5] ? ['2026-07-28', '2025-11-25'] : [era]) as any[])
      lanes.push(
        s.lane(
          `${n} ${e}`,
          await s.calls('one user', e, name, args),
          what === 'refused'
            ? (r: any) => {
                if (!r.text.includes('isError')) throw new Error(r.text);
              }
            : expectSuccess,
        ),
      );
  const m: any = await measure(lanes, { clients: 16, rounds, milliseconds: ms });
  for (const l of lanes)
    console.log(
      what.padEnd(10),
      l.name.padEnd(16),
      median(m[l.name].perSecond).toFixed(0).padStart(6),
      '/s',
      median(m[l.name].processor).toFixed(2),
      'ms cpu',
      '÷floor',
      median(ratios(m[l.name].perSecond, m['floor'].perSecond)).toFixed(2),
    );
}
await floor.stop();
for (const s of Object.values<any>(shops)) await s.stop();
