/**
 * The framework's default, to compare with: the shop's main tools on `McpAgent.serve()`, an object for each MCP session,
 * behind the same OAuth provider, with orders in KV alone. No limits, no record, and everybody is let in.
 */
import { type OAuthHelpers, OAuthProvider } from '@cloudflare/workers-oauth-provider';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpAgent } from 'agents/mcp';
import { z } from 'zod';
import { COLORS, SHIRT, SIZES } from '../../../src/shop/catalog.ts';

type Bindings = Cloudflare.Env & { OAUTH_PROVIDER: OAuthHelpers };
type Props = { userId: string; email: string };

export class FrameworkShop extends McpAgent<Bindings, unknown, Props> {
  override server = new McpServer({ name: 'MCP Shop on McpAgent.serve()', version: '1.0.0' });

  override async init(): Promise<void> {
    this.server.registerTool('listMcpShopInventory', { description: 'Lists what the shop sells.' }, () =>
      answer({ title: 'MCP Shop inventory', products: [SHIRT] }),
    );
    const inputSchema = {
      company: z.string(),
      mailingAddress: z.string(),
      tshirtSize: z.enum(SIZES),
      color: z.enum(COLORS).optional(),
      quantity: z.int().optional(),
    };
    this.server.registerTool('buyMcpShopItem', { description: 'Orders shirts.', inputSchema }, async (input) => {
      const { userId, email } = this.#props();
      const order = { id: crypto.randomUUID(), userId, email, ...input, orderDate: new Date().toISOString() };
      await this.env.ORDERS.put(`order:${userId}:${order.id}`, JSON.stringify(order));
      return answer({ status: 'success', order });
    });
    this.server.registerTool('listMcpShopOrders', { description: 'Lists the orders.' }, async () => {
      const { keys } = await this.env.ORDERS.list({ prefix: `order:${this.#props().userId}:` });
      const orders = await Promise.all(keys.map(({ name }) => this.env.ORDERS.get(name, 'json')));
      return answer({ title: 'MCP Shop orders', orders });
    });
  }

  #props(): Props {
    if (!this.props) throw new Error('a session without a user');
    return this.props;
  }
}

function answer(data: Record<string, unknown>) {
  return { content: [{ type: 'text' as const, text: JSON.stringify(data) }], structuredContent: data };
}

/** The smallest consent there is: a page with one button. */
async function authorize(request: Request, { OAUTH_PROVIDER: provider }: Bindings): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname !== '/authorize') return new Response('Not found', { status: 404 });
  if (request.method === 'GET') {
    const page = '<!doctype html><form method="post"><button>Allow</button></form>';
    return new Response(page, { headers: { 'Content-Type': 'text/html' } });
  }
  const userId = searchParams.get('state') ?? crypto.randomUUID();
  const { redirectTo } = await provider.completeAuthorization({
    request: await provider.parseAuthRequest(new Request(request.url)),
    userId,
    metadata: {},
    scope: ['shop:browse'],
    props: { userId, email: `${userId}@example.com` } satisfies Props,
  });
  return Response.redirect(redirectTo, 302);
}

let provider: OAuthProvider<Bindings> | undefined;

function fetch(request: Request, env: Bindings, ctx: ExecutionContext): Promise<Response> {
  provider ??= new OAuthProvider<Bindings>({
    apiRoute: '/mcp',
    apiHandler: FrameworkShop.serve('/mcp', { binding: 'MCP_OBJECT' }),
    defaultHandler: { fetch: authorize },
    authorizeEndpoint: '/authorize',
    tokenEndpoint: '/token',
    clientRegistrationEndpoint: '/register',
    resourceMetadata: { resource: `${new URL(request.url).origin}/mcp` },
    requiredScopes: ['shop:browse'],
    scopesSupported: ['shop:browse'],
  });
  return provider.fetch(request, env, ctx);
}

export default { fetch };
