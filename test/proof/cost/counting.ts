/** Wraps a Worker and its object so that everything on Cloudflare's bill is counted where it happens. */

export type Counts = {
  /** Requests to the Worker. */
  requests: number;
  /** Requests and RPC calls to Durable Objects, and alarms that rang. */
  objectRequests: number;
  rowsRead: number;
  rowsWritten: number;
  kvReads: number;
  kvWrites: number;
  kvDeletes: number;
  kvLists: number;
  /** Requests to other servers. */
  outgoing: number;
};

/** Answers what was counted since it was last asked. */
export const COUNTS_PATH = '/counts';

type Cursor = { rowsRead: number; rowsWritten: number };
type Method = (...args: never[]) => unknown;

const NOTHING: Counts = {
  requests: 0,
  objectRequests: 0,
  rowsRead: 0,
  rowsWritten: 0,
  kvReads: 0,
  kvWrites: 0,
  kvDeletes: 0,
  kvLists: 0,
  outgoing: 0,
};

/** A Worker and its objects share one isolate here, so they share this. */
let counts = { ...NOTHING };
let cursors: Cursor[] = [];

/** What was counted since the last time. A cursor is complete only once it has been read, so rows are added up here. */
function taken(): Counts {
  for (const { rowsRead, rowsWritten } of cursors) {
    counts.rowsRead += rowsRead;
    counts.rowsWritten += rowsWritten;
  }
  const result = counts;
  counts = { ...NOTHING };
  cursors = [];
  return result;
}

type Kind = Exclude<keyof Counts, 'requests'>;

/** `target` with its methods counted: by name, or all of them when `kinds` is one kind. */
function counted<Target extends object>(target: Target, kinds: Kind | Record<string, Kind>): Target {
  return new Proxy(target, {
    get(real, name) {
      const value: unknown = Reflect.get(real, name);
      if (typeof value !== 'function') return value;
      return (...args: never[]) => {
        const kind = typeof kinds === 'string' ? kinds : kinds[String(name)];
        if (kind) counts[kind] += 1;
        // A method of a stub takes even `apply` for a call to the object.
        return Reflect.apply(value as Method, real, args);
      };
    },
  });
}

const KV = {
  get: 'kvReads',
  getWithMetadata: 'kvReads',
  put: 'kvWrites',
  delete: 'kvDeletes',
  list: 'kvLists',
} as const;

/** A namespace whose stubs count each request and RPC call. */
function countedNamespace(namespace: DurableObjectNamespace): DurableObjectNamespace {
  return new Proxy(namespace, {
    get(real, name) {
      const value: unknown = Reflect.get(real, name);
      if (typeof value !== 'function') return value;
      return (...args: never[]) => {
        const result: unknown = Reflect.apply(value as Method, real, args);
        return name === 'get' || name === 'getByName' ? counted(result as object, 'objectRequests') : result;
      };
    },
  });
}

/** The bindings that cost something, counted. */
export function countedBindings<Bindings extends object>(env: Bindings): Bindings {
  const result = { ...env } as Record<string, unknown>;
  for (const name of ['ORDERS', 'OAUTH_KV']) result[name] = counted(result[name] as KVNamespace, KV);
  for (const name of ['MCP_OBJECT', 'FRESH_KEYS'])
    if (name in result) result[name] = countedNamespace(result[name] as DurableObjectNamespace);
  return result as Bindings;
}

/** Counts what an object does with its storage. Must be called before anything else uses it. */
export function countStorage({ storage }: DurableObjectState): void {
  const { sql, kv } = storage;
  const exec = sql.exec.bind(sql) as Method;
  Object.assign(sql, {
    exec(...args: never[]) {
      const cursor = exec(...args);
      cursors.push(cursor as Cursor);
      return cursor;
    },
  });
  // One key is one row; the alarm is one too.
  countMethods(kv, { get: 'rowsRead', put: 'rowsWritten', delete: 'rowsWritten' });
  countMethods(storage, {
    get: 'rowsRead',
    put: 'rowsWritten',
    delete: 'rowsWritten',
    setAlarm: 'rowsWritten',
    deleteAlarm: 'rowsWritten',
  });
}

function countMethods(target: object, kinds: Record<string, Kind>): void {
  for (const [name, kind] of Object.entries(kinds)) {
    const method: Method = (Reflect.get(target, name) as Method).bind(target);
    Object.assign(target, {
      [name](...args: never[]) {
        counts[kind] += 1;
        return method(...args);
      },
    });
  }
}

export function countAlarm(): void {
  counts.objectRequests += 1;
}

const network = globalThis.fetch;
globalThis.fetch = (...args) => {
  counts.outgoing += 1;
  return network(...args);
};

type Handler<Bindings> = (request: Request, env: Bindings, ctx: ExecutionContext) => Response | Promise<Response>;

export function countingFetch<Bindings extends object>(handler: Handler<Bindings>): Handler<Bindings> {
  // One for each isolate, because what is kept for a configuration is kept for its object.
  let bindings: Bindings | undefined;
  return (request, env, ctx) => {
    if (new URL(request.url).pathname === COUNTS_PATH) return Response.json(taken());
    counts.requests += 1;
    bindings ??= countedBindings(env);
    return handler(request, bindings, ctx);
  };
}
