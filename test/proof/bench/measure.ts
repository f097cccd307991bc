/** Measures several servers in turn, round after round, so that what the machine does meanwhile touches all of them alike. */

/** One thing to measure: `call` is made again and again by each of the clients, which are numbered from 0. */
export type Lane = {
  name: string;
  call: (client: number) => Promise<unknown>;
  /** Processor time that the server has used so far, in milliseconds. */
  processorTime: () => number;
};
/** In each round: calls a second, the median time of a call, and the server's processor time for one, in milliseconds. */
export type Measured = { perSecond: number[]; milliseconds: number[]; processor: number[] };

export type Plan = { clients: number; rounds: number; milliseconds: number };

/** Each lane in each round, in turn. Before the first round each runs once without being counted. */
export async function measure<Name extends string>(
  lanes: readonly (Lane & { name: Name })[],
  { clients, rounds, milliseconds }: Plan,
): Promise<Record<Name, Measured>> {
  const results = new Map<Name, Measured>(
    lanes.map(({ name }) => [name, { perSecond: [], milliseconds: [], processor: [] }]),
  );
  for (const lane of lanes) await run(lane, clients, milliseconds / 2);
  for (let round = 0; round < rounds; round += 1) {
    for (const lane of lanes) {
      const times = await run(lane, clients, milliseconds);
      const result = results.get(lane.name);
      result?.perSecond.push(times.perSecond);
      result?.milliseconds.push(times.median);
      result?.processor.push(times.processor);
    }
  }
  return Object.fromEntries(results) as Record<Name, Measured>;
}

/** A closed loop: each client calls again when it has its answer. */
async function run({ call, processorTime }: Lane, clients: number, milliseconds: number) {
  const times: number[] = [];
  const used = processorTime();
  const start = performance.now();
  const end = start + milliseconds;
  const loop = async (client: number) => {
    for (let before = performance.now(); before < end; before = performance.now()) {
      await call(client);
      times.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => loop(client)));
  return {
    perSecond: (times.length / (performance.now() - start)) * 1000,
    median: median(times),
    processor: (processorTime() - used) / times.length,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** The rounds of two lanes, divided round by round. */
export function ratios(one: readonly number[], other: readonly number[]): number[] {
  return one.map((value, round) => value / (other[round] ?? NaN));
}
