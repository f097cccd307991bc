/**
 * Workers on workerd, each on a socket of its own: no development proxy, no request log. Local KV, Durable Objects and
 * rate limiters are miniflare's.
 */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Miniflare, type WorkerOptions } from 'miniflare';
import { z } from 'zod';
import type { Fetch } from '../../../src/dev/browser.ts';
import { LOCAL_API_KEY, LOCAL_CLIENT_ID } from '../../../src/dev/authkit-store.ts';
import { Deputy, type Era, Person } from '../../../src/dev/clients.ts';
import { freePort } from '../../../src/dev/dev-server.ts';
import { bundle, CONFIG } from './bundle.ts';

/** What a Worker under test needs beside its script. */
export type Plan = {
  script: string;
  /** Class and binding of each kind of Durable Object. */
  objects?: readonly { binding: string; className: string }[];
  kv: string[];
  /** Whether people sign in here: then it has the variables and the rate limiters of the shop, and AuthKit beside it. */
  authkit?: boolean;
  variables?: Record<string, string>;
};

/** The shop as wrangler.toml deploys it, but for its static files and its rates. */
export function shopPlan(script: string, variables: Record<string, string> = {}): Plan {
  return {
    script,
    objects: [
      { binding: 'MCP_OBJECT', className: 'McpShopServer' },
      { binding: 'FRESH_KEYS', className: 'FreshKeys' },
    ],
    kv: ['ORDERS', 'OAUTH_KV'],
    authkit: true,
    variables,
  };
}

export type StartOptions = {
  /** Keeps data in this folder, which then outlives the server. */
  data?: string;
  /** Listens there, so that what was signed in before the last stop still is. */
  port?: number;
  /** Opens the inspector, for a CPU profile. */
  inspector?: boolean;
  /** Gets each line that the Workers log. */
  onLog?: (line: { level: string; message: string }) => void;
};

/** The paths that belong to AuthKit; the shop uses none of them. */
const AUTHKIT_PATHS = ['/user_management/', '/sso/', '/audit_logs/', '/local-authkit'];

/** Instead of those of wrangler.toml: all the people of a test come from one address, and a benchmark is a flood. */
const ANY_RATE = { limit: 1_000_000_000, period: 60 } as const;

const rateLimits = z.array(z.object({ name: z.string(), namespace_id: z.string() }));

let authkitScript: Promise<string> | undefined;

export class BenchServer {
  /** What clients and people connect to, `http://localhost:<port>`. */
  readonly origin: string;
  /** The process id of workerd. */
  readonly pid: number;
  /** Like the global one, and also reaches AuthKit, as a person's browser does. */
  readonly fetch: Fetch;
  readonly #miniflare: Miniflare;
  readonly #data: string;
  readonly #keepData: boolean;

  private constructor(origin: string, pid: number, fetch: Fetch, miniflare: Miniflare, data: string, keep: boolean) {
    this.origin = origin;
    this.pid = pid;
    this.fetch = fetch;
    this.#miniflare = miniflare;
    this.#data = data;
    this.#keepData = keep;
  }

  static async start(plan: Plan, { data, port: given, inspector = false, onLog = () => {} }: StartOptions = {}) {
    const port = given ?? (await freePort());
    const origin = `http://localhost:${port}`;
    const folder = data ?? mkdtempSync(join(tmpdir(), 'mcp-shop-bench-'));
    const workers = [workerOptions(plan, origin, port)];
    if (plan.authkit) workers.push(await authkitOptions(origin));
    const before = new Set(children());
    const miniflare = new Miniflare({
      host: '127.0.0.1',
      port: 0,
      ...(inspector && { inspectorPort: 0 }),
      logRequests: false,
      handleStructuredLogs: ({ level, message }) => onLog({ level, message }),
      resourcePersistencePath: folder,
      enableDevRegistry: false,
      telemetry: { enabled: false },
      // People are not asked for their country here; without it miniflare would ask a server on the internet.
      cf: false,
      workers,
    });
    await miniflare.ready;
    const [pid] = children().filter((child) => !before.has(child) && isWorkerd(child));
    if (pid === undefined) throw new Error('no new workerd process was found under this one');
    const authkit = plan.authkit ? await miniflare.unsafeGetDirectURL('authkit') : undefined;
    const fetch: Fetch = (input, init) => {
      const url = new URL(input);
      if (authkit && url.origin === origin && AUTHKIT_PATHS.some((path) => url.pathname.startsWith(path)))
        url.host = authkit.host;
      return globalThis.fetch(url, init);
    };
    return new BenchServer(origin, pid, fetch, miniflare, folder, data !== undefined);
  }

  /** A human with a browser of their own, who allows all powers. */
  person(email: string): Person {
    const person = new Person(email, this.origin, this.fetch);
    person.ticks = ['shop:buy', 'orders:read'];
    return person;
  }

  /** A deputy of that person, through registration, sign-in, consent and the first token. */
  deputyOf(person: Person, era: Era, name?: string): Promise<Deputy> {
    return Deputy.connect(era, person, this.origin, this.fetch, name);
  }

  /** Resident memory of workerd, in bytes: now, and at its highest since the start. */
  memory(): { now: number; peak: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const kilobytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? NaN);
    return { now: kilobytes('VmRSS') * 1024, peak: kilobytes('VmHWM') * 1024 };
  }

  /** Processor time that workerd has used so far, in milliseconds. It comes in steps of ten. */
  processorTime(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** Bytes that the SQLite database of each object of that class holds, by the object's id. */
  storage(className = 'McpShopServer'): Map<string, number> {
    const folder = join(this.#data, 'do', `shop-${className}`);
    const files = readdirSync(folder).filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file));
    return new Map(files.map((file) => [file.slice(0, 64), sizeOf(join(folder, file))]));
  }

  /** Where the inspector answers; only for a server that was started with one. */
  inspector(): Promise<URL> {
    return this.#miniflare.getInspectorURL();
  }

  /** The local KV namespace of that binding. */
  kv(binding: string) {
    return this.#miniflare.getKVNamespace(binding, 'shop');
  }

  async stop(): Promise<void> {
    await this.#miniflare.dispose();
    if (!this.#keepData) rmSync(this.#data, { recursive: true, force: true });
  }
}

/** `script`, or the bundle of `src/index.ts`, served as the shop. */
export async function startShop(script?: string, options: StartOptions = {}): Promise<BenchServer> {
  return BenchServer.start(shopPlan(script ?? (await bundle('src/index.ts'))), options);
}

function workerOptions(plan: Plan, origin: string, port: number): WorkerOptions {
  const variables = { ...(plan.authkit && signInVariables(origin)), ...plan.variables };
  const texts = Object.entries(variables).map(([name, value]) => [name, { type: 'text', value }] as const);
  const namespaces = plan.kv.map((name) => [name, { type: 'kv', id: name }] as const);
  const limiters = plan.authkit
    ? rateLimits
        .parse(CONFIG.ratelimits)
        .map(
          ({ name, namespace_id: namespace }) => [name, { type: 'rate-limit', namespace, simple: ANY_RATE }] as const,
        )
    : [];
  const { objects = [] } = plan;
  const bindings = objects.map(
    ({ binding, className }) => [binding, { type: 'durable-object', worker: 'shop', exportName: className }] as const,
  );
  return {
    config: {
      name: 'shop',
      ...runtime(),
      manifest: { mainModule: 'index.js', modules: { 'index.js': { type: 'esm', contents: plan.script } } },
      env: Object.fromEntries([...texts, ...namespaces, ...limiters, ...bindings]),
      exports: Object.fromEntries(
        objects.map(({ className }) => [className, { type: 'durable-object', storage: 'sqlite' } as const]),
      ),
    },
    dev: {
      unsafeDirectSockets: [{ host: '127.0.0.1', port }],
      // All that the shop asks for on the way out is WorkOS.
      ...(plan.authkit && { outboundService: { type: 'worker', worker: 'authkit' } }),
    },
  };
}

async function authkitOptions(origin: string): Promise<WorkerOptions> {
  authkitScript ??= bundle('test/proof/bench/authkit-worker.ts');
  return {
    config: {
      name: 'authkit',
      ...runtime(),
      manifest: { mainModule: 'index.js', modules: { 'index.js': { type: 'esm', contents: await authkitScript } } },
      env: { OAUTH_KV: { type: 'kv', id: 'AUTHKIT' }, ORIGIN: { type: 'text', value: origin } },
    },
    dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] },
  };
}

function runtime() {
  const { compatibility_date: compatibilityDate, compatibility_flags: compatibilityFlags } = CONFIG;
  return { compatibilityDate: z.string().parse(compatibilityDate), compatibilityFlags };
}

function signInVariables(origin: string): Record<string, string> {
  return {
    WORKOS_CLIENT_ID: LOCAL_CLIENT_ID,
    WORKOS_API_KEY: LOCAL_API_KEY,
    WORKOS_API_ORIGIN: origin,
    COOKIE_PASSWORD: 'only for a benchmark on one machine, of no use elsewhere',
  };
}

/** The process ids that this process has started. */
function children(): number[] {
  const list = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8');
  return list.split(' ').filter(Boolean).map(Number);
}

function isWorkerd(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`).endsWith('/workerd');
  } catch {
    return false;
  }
}

/** What is in the journal counts too, and free pages do, as they do on the bill. */
function sizeOf(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const pragma = (name: string) => Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
    return pragma('page_count') * pragma('page_size');
  } finally {
    database.close();
  }
}
