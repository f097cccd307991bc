/** `pnpm demo`: plays to its end by itself, fails loudly, and leaves nothing behind when it is killed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ENVIRONMENT, TOOLS, until } from '../../src/dev/dev-server.ts';
import { type Scene, Stage } from '../../src/demo/stage.ts';

type Demo = { child: ChildProcess; folder: string; output: () => string; ended: Promise<number | null> };

function startDemo(...args: string[]): Demo {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { demo: string } };
  const [, script = ''] = scripts.demo.split(' ');
  // Its server's command line names this folder, so what is left of a demo can be told from anything else.
  const folder = mkdtempSync(join(tmpdir(), 'mcp-shop-demo-'));
  const env = { ...ENVIRONMENT, TMPDIR: folder };
  const child = spawn(join(TOOLS, 'node'), [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  return { child, folder, output: () => output, ended: new Promise((done) => child.once('close', done)) };
}

/** Waits until no process of a demo is left; fails with their command lines when they stay. */
async function nothingLeft({ folder }: Demo): Promise<void> {
  const left = () =>
    execFileSync('ps', ['-A', '-o', 'args='])
      .toString()
      .split('\n')
      .filter((line) => line.includes(folder));
  await until(
    () => left().length === 0,
    () => `still running:\n${left().join('\n')}`,
  );
  rmSync(folder, { recursive: true, force: true });
}

test('it plays the story without a terminal, plainly, within 72 columns, and exits 0', async () => {
  const demo = startDemo();
  expect(await demo.ended, demo.output()).toBe(0);
  const output = demo.output();
  for (let scene = 1; scene <= 12; scene += 1) expect(output).toContain(`Scene ${scene} of 12: `);
  expect(output).toContain('MCP 2025-11-25');
  expect(output).toContain('MCP 2026-07-28');
  expect(output).toContain('REFUSED: ABSOLUTELY NOT. GO AWAY 👋');
  expect(output).toContain('ada      presses "Stop all"');
  expect(output).toContain('REFUSED: HTTP 401, sign in again.');
  expect(output).toContain('The record holds together');
  expect(output).toContain('Proven');
  expect(output).toMatch(/buyMcpShopItem +\d+ ms\n/);
  expect(output).not.toContain('\u001b');
  await nothingLeft(demo);
  const longest = output.split('\n').filter((line) => line.length > 72);
  expect(longest).toEqual([]);
});

test('--scene starts the telling later, and plays the rest unseen', async () => {
  const demo = startDemo('--scene', '5');
  expect(await demo.ended, demo.output()).toBe(0);
  expect(demo.output()).not.toContain('Scene 4');
  expect(demo.output()).toContain('Scene 5 of 12');
});

test.each([['--scene', '99'], ['--scene', 'x'], ['--speed'], ['now']])(
  'a wrong option %s %s is answered with the usage',
  async (...args) => {
    const demo = startDemo(...args);
    expect(await demo.ended).toBe(2);
    expect(demo.output()).toContain('Usage: pnpm demo');
  },
);

test.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  'killed by %s, it leaves no server behind',
  async (signal) => {
    const demo = startDemo();
    const origin = () => /It runs at (\S+)/.exec(demo.output())?.[1];
    await until(() => origin() !== undefined, demo.output);
    demo.child.kill(signal);
    await demo.ended;
    const gone = () =>
      fetch(`${origin()}/healthz`).then(
        () => false,
        () => true,
      );
    await until(gone, () => `the server of a killed demo still answers at ${origin()}`);
    await nothingLeft(demo);
  },
);

test('killed while its server starts, it leaves nothing behind either', async () => {
  const demo = startDemo();
  await until(() => demo.output().includes('Starting'), demo.output);
  await new Promise((done) => setTimeout(done, 1000));
  demo.child.kill('SIGKILL');
  await demo.ended;
  await nothingLeft(demo);
});

test('a step that fails names its scene, and ends the play', async () => {
  const played: number[] = [];
  const scene = (number: number): Scene => ({
    title: `number ${number}`,
    narration: 'A test.',
    async play() {
      played.push(number);
      if (number === 2) throw new Error('the shirt was green');
    },
  });
  await expect(new Stage({ auto: true }).play([scene(1), scene(2), scene(3)], 3)).rejects.toThrow(
    'scene 2 ("number 2") failed: the shirt was green',
  );
  expect(played).toEqual([1, 2]);
});
