/** The landing page: what this is, and the address to give to an MCP client. */
import type { FC } from 'hono/jsx';
import { Layout } from './layout.tsx';

export const LandingPage: FC<{ origin: string; authkit: string; local: boolean }> = ({ origin, authkit, local }) => (
  <Layout title="A shop for deputies" scripts={['/copy.js']}>
    <h1>MCP Shop on Cloudflare</h1>
    <p>
      A T-shirt shop that AI agents shop at. An agent is not a user of its own: it is a <strong>deputy</strong> that
      acts for a person, within what that person granted.
    </p>
    <div class="card">
      <dl>
        <dt>MCP address</dt>
        <dd>
          <code>{`${origin}/mcp`}</code>{' '}
          <button type="button" data-copy={`${origin}/mcp`} hidden>
            Copy
          </button>
        </dd>
        <dt>Transport</dt>
        <dd>Streamable HTTP, with OAuth</dd>
        <dt>People sign in at</dt>
        <dd>{authkit}</dd>
      </dl>
    </div>
    {local && (
      <p class="warning">
        This instance runs on the local AuthKit: any e-mail address signs in, without a password. What it recorded is on{' '}
        <a href="/local-authkit">its own page</a>.
      </p>
    )}
    <h2>Connect a deputy</h2>
    <p>Give the address to your MCP client; it opens a page here that asks you what your deputy may do.</p>
    <dl>
      <dt>MCP Inspector</dt>
      <dd>
        <code>{`npx -y @modelcontextprotocol/inspector --web --server-url ${origin}/mcp --transport http`}</code>
      </dd>
      <dt>Claude</dt>
      <dd>
        Settings, Connectors, Add custom connector, and the address. Claude calls from its own cloud, so it reaches a
        deployment, not <code>localhost</code>.
      </dd>
      <dt>Claude Code</dt>
      <dd>
        <code>{`claude mcp add --transport http mcp-shop ${origin}/mcp`}</code>, then <code>/mcp</code> to sign in.
      </dd>
      <dt>Clients that start programs</dt>
      <dd>
        <code>{`npx -y mcp-remote ${origin}/mcp`}</code>
      </dd>
    </dl>
    <a class="button" href="/deputies">
      Your deputies
    </a>
  </Layout>
);
