/** Counts the past for a limit that is new in the domain: it holds from the first call on, and the record still replays to it. */
import { z } from 'zod';
import { addUse, type Pair, type Windows } from '../authority/window.ts';
import { checkpointState } from './checkpoint.ts';
import { Counting } from './counting.ts';
import type { Ledger } from './ledger.ts';

const KEY = 'counted';

/** Runs when the object starts, and does nothing while the domain counts what it counted before. */
export function recount(ledger: Ledger, kv: SyncKvStorage): void {
  const known = z.array(z.string()).parse(kv.get(KEY) ?? []);
  const { own, all } = ledger.pairs;
  const names = [...own.map((pair) => nameOf('own', pair)), ...all.map((pair) => nameOf('all', pair))];
  if (names.join() === known.join()) return;
  const fresh = {
    own: own.filter((pair) => !known.includes(nameOf('own', pair))),
    all: all.filter((pair) => !known.includes(nameOf('all', pair))),
  };
  ledger.transaction(() => {
    const now = ledger.now();
    // What was used before the human erased their data has no lines any more.
    const counting = new Counting(fresh, addUse(checkpointState(ledger.sql).windows, fresh.all, {}, now));
    // Line by line, as Verify counts it: a clock that was ahead has been set back in one of them.
    for (const line of ledger.record.ofUse()) counting.add(line);
    for (const id of ledger.meters.ids()) {
      const meter = ledger.meters.read(id);
      const counted = counting.own.get(id) ?? addUse({}, fresh.own, {}, now);
      ledger.meters.save(id, { ...meter, windows: inPlaceOf(meter.windows, counted) });
    }
    ledger.account.setWindows(inPlaceOf(ledger.account.read().windows, counting.all));
    kv.put(KEY, names);
  });
}

function inPlaceOf(windows: Windows, counted: Windows): Windows {
  const spans = Object.keys({ ...windows, ...counted });
  return Object.fromEntries(spans.map((per) => [per, { ...windows[per], ...counted[per] }]));
}

function nameOf(kind: string, { per, of }: Pair): string {
  return `${kind} ${of} ${per}`;
}
