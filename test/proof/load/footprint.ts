/** What is stored of each human, and what one costs that nothing happens to: read from the files the server wrote. */
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { BenchServer } from '../bench/bench-server.ts';

/** Bytes that our own tables and indexes may take of a human without calls. */
const OWN_TARGET = 40 * 1024;
/** Tables and indexes that the Agents SDK makes in every object, used or not. */
const OF_THE_SDK = /^(sqlite_autoindex_)?(cf_agents?_|idx_(workflows|facet|fibers|agent))/;
/** Those of SQLite and the platform: the list of all tables, what is kept by key, and the alarm. */
const OF_THE_PLATFORM = /^(sqlite_schema|_cf_)/;
/** Seconds: a job that is due later than this costs nothing for now. */
const NOT_SOON = 20 * 60 * 60;

export type Footprint = {
  bytes: number;
  calls: number;
  orders: number;
  deputies: number;
  /** Kinds of the armed jobs, and in how many seconds they are due. */
  jobs: { name: string; due: number }[];
  /** Whether an alarm was ever set. */
  alarm: boolean;
  /** By whose tables and indexes they are; ours by name. */
  bytesOf: { sdk: number; platform: number; ours: Record<string, number> };
};

export function footprints(data: string): Footprint[] {
  const folder = folderOf(data);
  return readdirSync(folder)
    .filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file))
    .map((file) => footprint(join(folder, file)));
}

function footprint(file: string): Footprint {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
  try {
    const number = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
    const pages = number('PRAGMA page_count');
    const size = number('PRAGMA page_size');
    const tables = database
      .prepare('SELECT name, count(*) AS pages FROM dbstat GROUP BY name')
      .all()
      .map((row) => ({ name: String(row['name']), bytes: Number(row['pages']) * size }));
    const bytesOf = (pattern: RegExp) =>
      tables.filter(({ name }) => pattern.test(name)).reduce((total, { bytes }) => total + bytes, 0);
    const ours = tables.filter(({ name }) => !OF_THE_SDK.test(name) && !OF_THE_PLATFORM.test(name));
    return {
      bytes: pages * size,
      calls: number("SELECT count(*) FROM record WHERE line ->> 'actor' = 'deputy'"),
      orders: number('SELECT count(*) FROM effects'),
      deputies: number('SELECT count(*) FROM deputies'),
      jobs: database
        .prepare("SELECT payload ->> '$.payload.kind' AS name, time / 1000 - unixepoch() AS due FROM cf_agents_jobs")
        .all()
        .map(({ name, due }) => ({ name: String(name), due: Number(due) })),
      alarm: number("SELECT count(*) FROM sqlite_schema WHERE name = '_cf_METADATA'") > 0,
      bytesOf: {
        sdk: bytesOf(OF_THE_SDK),
        platform: bytesOf(OF_THE_PLATFORM),
        ours: Object.fromEntries(ours.map(({ name, bytes }) => [name, bytes])),
      },
    };
  } finally {
    database.close();
  }
}

/** Prints what is stored of each, and returns what is wrong with the jobs. */
export function sayFootprints(all: readonly Footprint[]): string[] {
  const problems: string[] = [];
  const busy = all.filter(({ calls }) => calls > 0);
  const quiet = all.filter(({ calls, deputies }) => calls === 0 && deputies > 0);
  const visitors = all.filter(({ deputies }) => deputies === 0);
  console.log('\nStored in the database of each human (SQLite, all pages):');
  for (const [who, some] of [
    ['with calls', busy],
    ['with deputies that never called', quiet],
    ['who only looked at their page', visitors],
  ] as const) {
    if (some.length === 0) continue;
    const bytes = some.map((one) => one.bytes).toSorted((one, other) => one - other);
    const calls = some.reduce((sum, one) => sum + one.calls, 0) / some.length;
    const orders = some.reduce((sum, one) => sum + one.orders, 0) / some.length;
    console.log(
      `  ${String(some.length).padStart(6)} humans ${who.padEnd(32)} median ${kib(bytes[Math.floor(bytes.length / 2)])}, largest ${kib(bytes.at(-1))}; on average ${calls.toFixed(1)} calls and ${orders.toFixed(1)} orders`,
    );
    const armed = Map.groupBy(
      some.flatMap(({ jobs }) => jobs),
      ({ name }) => name,
    );
    const jobs = [...armed].map(
      ([name, list]) =>
        `${list.length} × ${name}, the first in ${(Math.min(...list.map(({ due }) => due)) / 3600).toFixed(1)} hours`,
    );
    console.log(
      `         armed: ${jobs.join('; ') || 'nothing'}; with an alarm: ${some.filter(({ alarm }) => alarm).length}`,
    );
  }
  for (const { jobs, deputies, alarm } of all) {
    const wrong = jobs.find(({ name, due }) => name !== 'daily' || due < NOT_SOON);
    if (wrong) problems.push(`a job is armed that a quiet human should not have: ${wrong.name} in ${wrong.due} s`);
    if (jobs.length > 1) problems.push(`${jobs.length} jobs are armed in one object`);
    if (deputies === 0 && alarm) problems.push('an alarm is set for a human to whom nothing happened');
  }
  const [one] = quiet;
  if (one) {
    const { sdk, platform, ours } = one.bytesOf;
    const own = Object.values(ours).reduce((total, bytes) => total + bytes, 0);
    const each = Object.entries(ours).map(([name, bytes]) => `${name} ${kib(bytes)}`);
    console.log(
      `  A quiet human takes ${kib(one.bytes)}: ${kib(sdk)} are tables and indexes that the Agents SDK makes in every object, a page each and most of them empty, ${kib(platform)} are SQLite's and the platform's.`,
    );
    console.log(
      `  Target of ${kib(OWN_TARGET)} for our own: ${own <= OWN_TARGET ? 'met' : 'MISSED'}. ${kib(own)}: ${each.join(', ')}.`,
    );
  }
  return problems;
}

/** Databases of objects that the server has open: an object that was evicted has none. */
export function openObjects({ pid }: BenchServer, data: string): number {
  const open = new Set<string>();
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const path = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
      if (path.startsWith(folderOf(data)) && /\/[0-9a-f]{64}\.sqlite$/.test(path)) open.add(path);
    } catch {
      // Closed meanwhile.
    }
  }
  return open.size;
}

/** Prints how many entries KV has of each kind. */
export async function sayEntries(server: BenchServer): Promise<void> {
  console.log('\nEntries in KV:');
  for (const binding of ['ORDERS', 'OAUTH_KV']) {
    const kv = await server.kv(binding);
    const kinds = new Map<string, number>();
    let cursor: string | undefined;
    do {
      const page = await kv.list(cursor === undefined ? {} : { cursor });
      for (const { name } of page.keys) {
        const kind = name.split(':')[0] ?? '';
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      }
      cursor = page.list_complete ? undefined : page.cursor;
    } while (cursor !== undefined);
    console.log(
      `  ${binding.padEnd(9)} ${[...kinds].map(([kind, count]) => `${kind}: ${count}`).join(', ') || 'none'}`,
    );
  }
}

function folderOf(data: string): string {
  return join(data, 'do', 'shop-McpShopServer');
}

function kib(bytes = 0): string {
  return `${(bytes / 1024).toFixed(0)} KiB`;
}
