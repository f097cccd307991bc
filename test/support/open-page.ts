/** An open page of the console, without a browser: the socket that it follows the record with. */
import type { Person } from '../../src/dev/clients.ts';
import { cookiesOf, send } from './http.ts';
import { ORIGIN } from './worker.ts';

export type OpenPage = { socket: WebSocket; heard: unknown[]; closedWith: number | undefined };

export async function openPage(human: Person): Promise<OpenPage> {
  const { webSocket } = await knockForPage({ Origin: ORIGIN, Cookie: cookiesOf(human) });
  if (!webSocket) throw new Error('the server opened no socket');
  return listen(webSocket);
}

/** Asks for a socket as a browser does, with those headers. */
export function knockForPage(headers: Record<string, string>): Promise<Response> {
  return send('/deputies/live', { headers: { Upgrade: 'websocket', ...headers } });
}

export function listen(socket: WebSocket): OpenPage {
  const page: OpenPage = { socket, heard: [], closedWith: undefined };
  socket.addEventListener('message', ({ data }) => void page.heard.push(data));
  socket.addEventListener('close', ({ code }) => void (page.closedWith = code));
  socket.accept();
  return page;
}
