/** The Worker of `pnpm dev`, with a clock that goes ahead: `POST /clock` takes by how many milliseconds. */
import worker from '../../src/dev/index.ts';

export { FreshKeys, McpShopServer } from '../../src/dev/index.ts';

const real = Date;
let aheadMs = 0;

// The human's object runs in the same process, so it has the same clock.
globalThis.Date = class extends real {
  constructor(...given: [] | [number | string | Date]) {
    super(given.length === 0 ? real.now() + aheadMs : given[0]);
  }
  static override now(): number {
    return real.now() + aheadMs;
  }
} as DateConstructor;

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    if (new URL(request.url).pathname !== '/clock') return worker.fetch(request, env, ctx);
    aheadMs += Number(await request.text());
    return new Response(null, { status: 204 });
  },
  scheduled: worker.scheduled,
} satisfies ExportedHandler<Env>;
