/** The ways to connect a deputy, each with what to copy: on the landing page, on an empty console, and at /mcp. */
import type { Child } from 'hono/jsx';
import { domain } from '../domain.ts';
import { slugOf } from '../text.ts';

export type Way = { name: string; copy: string; what: string; text: Child };

const of = (name: string) => `the command for ${name}`;

/** `address` is that of the MCP endpoint. */
export function waysTo(address: string): Way[] {
  return [
    {
      name: 'MCP Inspector',
      copy: `npx -y @modelcontextprotocol/inspector --web --server-url ${address} --transport http`,
      what: of('MCP Inspector'),
      text: 'A page in your browser where you press the tools yourself. The quickest way to see it work.',
    },
    {
      name: 'Claude Code',
      copy: `claude mcp add --transport http ${slugOf(domain.name)} ${address}`,
      what: of('Claude Code'),
      text: (
        <>
          Then <code>/mcp</code> inside it, to sign in.
        </>
      ),
    },
    {
      name: 'Claude',
      copy: address,
      what: 'the address for Claude',
      text: (
        <>
          Settings, Connectors, Add custom connector, and the address. It calls from the cloud, so it reaches a deployed
          server, not <code>localhost</code>.
        </>
      ),
    },
    {
      name: 'ChatGPT and others',
      copy: `npx -y mcp-remote ${address}`,
      what: of('other clients'),
      text: 'Where you can give an address, give this server’s, as “HTTP”. Where you can only start a program, start this.',
    },
  ];
}
