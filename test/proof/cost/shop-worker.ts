/** The shop, with everything that is on the bill counted. */
import worker, { FreshKeys as ProductionKeys, McpShopServer as Production } from '../../../src/index.ts';
import { countAlarm, countedBindings, countingFetch, countStorage } from './counting.ts';

export class McpShopServer extends Production {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    countStorage(ctx);
    super(ctx, countedBindings(env));
  }

  override async alarm(): Promise<void> {
    countAlarm();
    await super.alarm();
  }
}

export class FreshKeys extends ProductionKeys {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    countStorage(ctx);
    super(ctx, env);
  }

  override async alarm(): Promise<void> {
    countAlarm();
    await super.alarm();
  }
}

export default { fetch: countingFetch(worker.fetch) };
