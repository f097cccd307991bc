/**
 * The Worker as it is, sign-in, token check and the way to the human's object included, with the conformance suite's own
 * tools, resources and prompts instead of the shop's. For `pnpm prove conformance` alone.
 */
import { CALLER_HEADER, decodeCaller } from '../../../src/deputy.ts';
import worker, { McpShopServer as Shop } from '../../../src/dev/index.ts';
import { readMessage, serveMcp } from '../../../src/mcp/transport.ts';
import { fixtureServer } from './fixtures.ts';

export { FreshKeys } from '../../../src/dev/index.ts';

export class McpShopServer extends Shop {
  override async onRequest(request: Request): Promise<Response> {
    const caller = decodeCaller(request.headers.get(CALLER_HEADER));
    if (!caller) return new Response('No caller', { status: 403 });
    return serveMcp(request, await readMessage(request), caller, fixtureServer);
  }
}

export default worker;
