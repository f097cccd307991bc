import { bundle, changed, UNLIMITED } from './bundle.ts';
import { measure } from './measure.ts';
import { profile } from './profile2.ts';
import * as C from './contestants.ts';
const script = changed(await bundle('src/index.ts'), UNLIMITED);
const shop = await C.ShopContestant.start(script, true);
const [name, era, args] =
  process.argv[2] === 'buy'
    ? ['buyMcpShopItem', process.argv[3] ?? '2026-07-28', C.PURCHASE]
    : ['listMcpShopInventory', process.argv[3] ?? '2026-07-28', {}];
const lane = shop.lane(name, await shop.calls('one user', era as any, name, args as any));
await measure([lane], { clients: 16, rounds: 1, milliseconds: 3000 });
const p: any = await profile(await shop.server.inspector(), () =>
  measure([lane], { clients: 16, rounds: 1, milliseconds: 3000 }),
);
const self = new Map<string, number>(),
  total = new Map<string, number>();
const byId = new Map(p.nodes.map((n: any) => [n.id, n]));
const parent = new Map<number, number>();
for (const n of p.nodes as any[]) for (const c of n.children ?? []) parent.set(c, n.id);
const dt = p.timeDeltas,
  lines = script.split('\n');
let all = 0;
p.samples.forEach((id: number, i: number) => {
  const t = dt[i];
  const key = (n: any) => `${n.callFrame.functionName || '(anon)'}:${n.callFrame.lineNumber}`;
  let n: any = byId.get(id);
  if (n.callFrame.functionName === '(idle)') return;
  all += t;
  self.set(key(n), (self.get(key(n)) ?? 0) + t);
  const seen = new Set();
  for (let x: any = id; x !== undefined; x = parent.get(x)) {
    const k = key(byId.get(x));
    if (!seen.has(k)) {
      seen.add(k);
      total.set(k, (total.get(k) ?? 0) + t);
    }
  }
});
const show = (m: Map<string, number>, k: number) =>
  [...m]
    .sort((a, b) => b[1] - a[1])
    .slice(0, k)
    .map(
      ([k, v]) =>
        `${((100 * v) / all).toFixed(1).padStart(5)}%  ${k.padEnd(40)} ${(lines[Number(k.split(':').at(-1))] ?? '').trim().slice(0, 90)}`,
    )
    .join('\n');
console.log('SELF\n' + show(self, 45));
console.log('TOTAL\n' + show(total, 90));
await shop.stop();
