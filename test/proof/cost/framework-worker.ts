/** The framework's default, with everything that is on the bill counted. */
import worker, { FrameworkShop as Plain } from '../bench/framework.ts';
import { countedBindings, countingFetch, countStorage } from './counting.ts';

export class FrameworkShop extends Plain {
  constructor(ctx: DurableObjectState, env: ConstructorParameters<typeof Plain>[1]) {
    countStorage(ctx);
    super(ctx, countedBindings(env));
  }
}

export default { fetch: countingFetch(worker.fetch) };
