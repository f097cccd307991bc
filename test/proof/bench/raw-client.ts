/** MCP by hand over kept-alive connections, so that a measurement is of the server and not of a client library. */
import { Pool } from 'undici';
import type { Era } from '../../../src/dev/clients.ts';

export type Reply = { status: number; text: string; sessionId?: string };

const CLIENT_INFO = { name: 'bench', version: '1' };
const MODERN_META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': CLIENT_INFO,
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** One message, ready to be sent again and again. */
export type Message = { headers: Record<string, string>; body: string };

/** A JSON-RPC request as a client of that era sends it. */
export function message(era: Era, token: string, method: string, params: Record<string, unknown> = {}): Message {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token}`,
    'mcp-protocol-version': era,
  };
  if (era === '2025-11-25') return { headers, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) };
  return {
    headers: {
      ...headers,
      'mcp-method': method,
      ...(typeof params['name'] === 'string' && { 'mcp-name': params['name'] }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: MODERN_META } }),
  };
}

export function toolCall(era: Era, token: string, name: string, args: Record<string, unknown> = {}): Message {
  return message(era, token, 'tools/call', { name, arguments: args });
}

/** All that a client sends before it can call a tool. */
export function connecting(era: Era, token: string): Message[] {
  if (era === '2026-07-28') return [message(era, token, 'server/discover'), message(era, token, 'tools/list')];
  const { headers } = message(era, token, 'notifications/initialized');
  return [
    message(era, token, 'initialize', { protocolVersion: era, capabilities: {}, clientInfo: CLIENT_INFO }),
    { headers, body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }) },
    message(era, token, 'tools/list'),
  ];
}

/** The JSON-RPC message in an answer, which the older era sends as an event stream. */
export function parseReply({ text }: Pick<Reply, 'text'>): {
  result?: Record<string, unknown>;
  error?: { message: string };
} {
  const data = text.split('\n').find((line) => line.startsWith('data: '));
  return JSON.parse(data ? data.slice('data: '.length) : text);
}

/** Throws unless a tool was carried out. */
export function expectSuccess(reply: Reply): void {
  if (reply.status !== 200 || reply.text.includes('"isError":true') || !reply.text.includes('"structuredContent"'))
    throw new Error(`the call was not carried out: HTTP ${reply.status} ${reply.text.slice(0, 500)}`);
}

export class RawClient {
  readonly #pool: Pool;

  constructor(origin: string, connections: number) {
    // The name stands for both address families; the server listens on one of them.
    this.#pool = new Pool(origin.replace('localhost', '127.0.0.1'), { connections, pipelining: 1 });
    this.#host = new URL(origin).host;
  }
  readonly #host: string;

  async post(path: string, { headers, body }: Message): Promise<Reply> {
    const answer = await this.#pool.request({
      path,
      method: 'POST',
      headers: { host: this.#host, ...headers },
      body,
    });
    const sessionId = answer.headers['mcp-session-id'];
    const text = await answer.body.text();
    return { status: answer.statusCode, text, ...(typeof sessionId === 'string' && { sessionId }) };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
