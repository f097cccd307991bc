/** The landing page: what this is, and the address to give to an MCP client. */
import type { FC, PropsWithChildren } from 'hono/jsx';
import { domain } from '../domain.ts';
import { slugOf } from '../text.ts';
import { Layout } from './layout.tsx';

/** `signIn` is where people sign in; `local` when that is on this server. */
export const LandingPage: FC<{ origin: string; signIn: { name: string; local: boolean } }> = ({ origin, signIn }) => (
  <Layout title="Deputies, not users" scripts={['/copy.js']}>
    <h1>An agent is not a user. It is a deputy.</h1>
    <p class="lead">
      {domain.about} Each one acts for a person, within what that person granted, until that person stops it; and every
      act traces back to that person.
    </p>
    <div class="card">
      <p class="copy">
        <span>
          MCP address <code>{`${origin}/mcp`}</code>
        </span>
        <Copy text={`${origin}/mcp`} what="the MCP address" />
      </p>
      <p class="muted">Streamable HTTP, with OAuth. People sign in at {signIn.name}.</p>
      <a class="button primary" href="/deputies">
        Your deputies
      </a>
    </div>
    {signIn.local && (
      <p class="warning">
        This instance runs on {signIn.name}: any e-mail address signs in, without a password. What it recorded is on{' '}
        <a href="/local-authkit">its own page</a>.
      </p>
    )}
    <h2>Connect a deputy</h2>
    <p>Give the address to your MCP client; it opens a page here that asks you what your deputy may do.</p>
    <div class="cards">
      <Client
        name="MCP Inspector"
        command={`npx -y @modelcontextprotocol/inspector --web --server-url ${origin}/mcp --transport http`}
      />
      <Client name="Claude Code" command={`claude mcp add --transport http ${slugOf(domain.name)} ${origin}/mcp`}>
        Then <code>/mcp</code> inside it, to sign in.
      </Client>
      <Client name="Clients that start programs, such as Claude Desktop" command={`npx -y mcp-remote ${origin}/mcp`} />
      <Client name="Claude">
        Settings, Connectors, Add custom connector, and the address. Claude calls from its own cloud, so it reaches a
        deployment, not <code>localhost</code>.
      </Client>
    </div>
  </Layout>
);

const Client: FC<PropsWithChildren<{ name: string; command?: string }>> = ({ name, command, children }) => (
  <div class="card">
    <h3>{name}</h3>
    {command !== undefined && (
      <p class="copy">
        <code>{command}</code> <Copy text={command} what={`the command for ${name}`} />
      </p>
    )}
    {children && <p>{children}</p>}
  </div>
);

/** Shown by the script that it needs. */
const Copy: FC<{ text: string; what: string }> = ({ text, what }) => (
  <button type="button" data-copy={text} hidden>
    Copy<span class="hidden"> {what}</span>
  </button>
);
