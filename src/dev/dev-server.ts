/** A running `pnpm dev` on a port and a data folder of its own: for the demo, and for tests from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';

const ROOT = resolve(import.meta.dirname, '../..');
/** As the script `dev` names it. */
const DEV_ENTRY = 'src/dev/index.ts';
/** The project's own runtime and tools first, as pnpm does for a script. */
export const TOOLS = join(ROOT, 'node_modules/.bin');
export const ENVIRONMENT = {
  ...process.env,
  PATH: `${TOOLS}:${process.env['PATH']}`,
  WRANGLER_SEND_METRICS: 'false',
  CI: 'true',
};

/**
 * Runs the command ($0) until its own input ends, which it does when this process dies, however it dies; then ends
 * everything the command has started, which is all in one process group.
 */
const GUARD = 'sh -c "$0" & cat > /dev/null; kill -TERM 0';

export class DevServer {
  readonly origin: string;
  readonly #port: number;
  readonly #entry: string;
  readonly #folder: string | undefined;
  readonly #data: string;
  #guard: ChildProcess | undefined;
  #output = '';

  private constructor(port: number, entry: string, folder?: string) {
    this.#port = port;
    this.#entry = entry;
    this.#folder = folder;
    this.origin = `http://localhost:${port}`;
    this.#data = mkdtempSync(join(tmpdir(), 'mcp-shop-'));
    // Instead of .dev.vars: a developer's real keys and settings do not belong into a demo or a test.
    writeFileSync(join(this.#data, 'own.env'), '');
  }

  /**
   * Starts the server; throws with all that it printed when it does not answer within 90 seconds. `entry` is another
   * Worker than that of `pnpm dev`, as a path from the project's root. `folder` is a copy of the project to run in, with
   * the variables of its own `.dev.vars` or `.env`.
   */
  static async start(entry: string = DEV_ENTRY, folder?: string): Promise<DevServer> {
    const server = new DevServer(await freePort(), entry, folder);
    await server.#run();
    return server;
  }

  /** Stops and starts again, with the same data and the variables of `variables`, written as in `.dev.vars`. */
  async restart(variables = ''): Promise<void> {
    await this.#end();
    writeFileSync(join(this.#data, 'own.env'), variables);
    await this.#run();
  }

  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.#data, { recursive: true, force: true });
  }

  /** Waits until the server has printed `text`, counting from now. */
  async printed(text: string): Promise<void> {
    const from = this.#output.length;
    await until(
      () => this.#output.includes(text, from),
      () => `the server never printed "${text}":\n${this.#output}`,
    );
  }

  /** All that the server has printed so far. */
  get output(): string {
    return this.#output;
  }

  async #run(): Promise<void> {
    const { scripts } = z
      .object({ scripts: z.object({ dev: z.string() }) })
      .parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));
    // The folder goes through the environment, because its name may hold what a shell would take apart.
    const options = `--port ${this.#port} --inspector-port 0 --persist-to "$DATA"`;
    const variables = this.#folder === undefined ? '--env-file "$DATA/own.env"' : '';
    const guard = spawn('sh', ['-c', GUARD, `${scripts.dev.replace(DEV_ENTRY, this.#entry)} ${options} ${variables}`], {
      cwd: this.#folder ?? ROOT,
      env: { ...ENVIRONMENT, DATA: this.#data },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#guard = guard;
    for (const stream of [guard.stdout, guard.stderr]) stream.on('data', (chunk) => (this.#output += String(chunk)));
    const answers = () =>
      fetch(`${this.origin}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(answers, () => `the server did not start:\n${this.#output}`).catch(async (error: unknown) => {
      await this.stop();
      throw error;
    });
  }

  async #end(): Promise<void> {
    const guard = this.#guard;
    if (!guard || guard.exitCode !== null || guard.signalCode !== null) return;
    const ended = new Promise((done) => guard.once('close', done));
    guard.stdin?.end();
    await ended;
  }
}

/** Waits for a condition, at most a minute and a half. */
export async function until(condition: () => boolean | Promise<boolean>, problem: () => string): Promise<void> {
  for (const start = Date.now(); Date.now() - start < 90_000;) {
    if (await condition()) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(problem());
}

export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? done(address.port) : fail(new Error('no port'))));
    });
  });
}

/** Runs one of the project's tools to its end. */
export function run(tool: string, args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(join(TOOLS, tool), args, { cwd: ROOT, env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  return new Promise((done) => child.once('close', (code) => done({ code, output })));
}
