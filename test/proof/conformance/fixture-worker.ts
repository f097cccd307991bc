/**
 * The Worker as it is, sign-in, token check and the way to the human's object included, with the conformance suite's own
 * tools, resources and prompts instead of the shop's. For `pnpm prove conformance` alone.
 */
import type { Caller } from '../../../src/deputy.ts';
import worker, { McpShopServer as Shop } from '../../../src/dev/index.ts';
import type { Answer } from '../../../src/mcp/accept.ts';
import { readMessage, serveMcp } from '../../../src/mcp/transport.ts';
import { fixtureServer } from './fixtures.ts';

export { FreshKeys } from '../../../src/dev/index.ts';

export class McpShopServer extends Shop {
  override async serve(caller: Caller, headers: Record<string, string>, body: string): Promise<Answer> {
    return serveMcp(readMessage(body), headers, caller, fixtureServer);
  }
}

export default worker;
