/** Where the time of a call goes: a CPU profile of the Worker, over workerd's inspector, added up by package and file. */
import { z } from 'zod';

const frameSchema = z.object({ functionName: z.string(), url: z.string(), lineNumber: z.int() });
const profileSchema = z.object({
  nodes: z.array(z.looseObject({ id: z.int(), callFrame: frameSchema })),
  samples: z.array(z.int()),
  timeDeltas: z.array(z.number()),
});
export type CallFrame = z.infer<typeof frameSchema>;
export type Profile = z.infer<typeof profileSchema>;

/** Microseconds between two samples. */
const INTERVAL = 200;

/** Profiles the isolate of the shop while `work` runs. */
export async function profile(inspector: URL, work: () => Promise<unknown>): Promise<Profile> {
  const targets = z
    .array(z.object({ id: z.string(), webSocketDebuggerUrl: z.string() }))
    .parse(await (await fetch(new URL('/json', inspector.href.replace(/^ws/, 'http')))).json());
  const target = targets.find(({ id, webSocketDebuggerUrl }) => `${id} ${webSocketDebuggerUrl}`.includes('shop'));
  if (!target) throw new Error(`the inspector knows no shop: ${JSON.stringify(targets)}`);
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((done, fail) => {
    socket.addEventListener('open', done);
    socket.addEventListener('error', () => fail(new Error('the inspector refused the connection')));
  });
  const waiting = new Map<number, (result: unknown) => void>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = z
      .object({ id: z.int().optional(), result: z.unknown().optional() })
      .parse(JSON.parse(String(data)));
    if (id !== undefined) waiting.get(id)?.(result);
  });
  let last = 0;
  const ask = (method: string, params = {}) =>
    new Promise<unknown>((done) => {
      last += 1;
      waiting.set(last, done);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  try {
    await ask('Profiler.enable');
    await ask('Profiler.setSamplingInterval', { interval: INTERVAL });
    await ask('Profiler.start');
    await work();
    return z.object({ profile: profileSchema }).parse(await ask('Profiler.stop')).profile;
  } finally {
    socket.close();
  }
}

export type Share = { where: string; milliseconds: number };

/** Time spent in each place itself, without what it called, largest first. `placeOf` names the place of a function. */
export function selfTime({ nodes, samples, timeDeltas }: Profile, placeOf: (frame: CallFrame) => string): Share[] {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const totals = new Map<string, number>();
  for (const [index, sample] of samples.entries()) {
    const place = places.get(sample) ?? '(unknown)';
    totals.set(place, (totals.get(place) ?? 0) + (timeDeltas[index] ?? 0) / 1000);
  }
  return [...totals]
    .map(([where, milliseconds]) => ({ where, milliseconds }))
    .toSorted((one, other) => other.milliseconds - one.milliseconds);
}

/** Names the source file of a line of the bundle, by the comments that esbuild puts before each file. */
export function sourcesOf(script: string): (line: number) => string {
  const starts: { line: number; file: string }[] = [];
  for (const [line, text] of script.split('\n').entries()) {
    const file = /^\s*\/\/ (?:\.\.\/)*((?:\S*\/)?\S+\.(?:[cm]?js|tsx?))$/.exec(text)?.[1];
    if (file) starts.push({ line, file });
  }
  return (line) => starts.findLast((start) => start.line <= line)?.file ?? '(start of the bundle)';
}

/** `zod`, `@modelcontextprotocol/server`, or a folder of ours such as `src/authority`. */
export function packageOf(file: string): string {
  const inPackage = file.split('node_modules/').at(-1);
  if (inPackage === undefined || inPackage === file) {
    const [, ours] = /(?:^|\/)(src\/(?:[^/]+(?=\/))?)/.exec(file) ?? [];
    return ours ?? file;
  }
  return inPackage
    .split('/')
    .slice(0, inPackage.startsWith('@') ? 2 : 1)
    .join('/');
}
