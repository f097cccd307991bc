/** A proxy that adds a bearer token, because the conformance suite knows no sign-in. Everything else passes through as it is. */
import { createServer, request, type Server } from 'node:http';
import { freePort } from '../../../src/dev/dev-server.ts';

export type Proxy = { origin: string; close(): void };

export async function addToken(target: string, token: string): Promise<Proxy> {
  const port = await freePort();
  const { hostname, port: targetPort, host: targetHost } = new URL(target);
  const server: Server = createServer((incoming, answer) => {
    // The server has one address of its own; a Host that somebody forged reaches it as it was forged.
    const own = incoming.headers.host === `localhost:${port}`;
    const headers = {
      ...incoming.headers,
      authorization: `Bearer ${token}`,
      host: own ? targetHost : incoming.headers.host,
    };
    const options = { hostname, port: targetPort, path: incoming.url, method: incoming.method, headers };
    const outgoing = request(options, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    outgoing.on('error', (error) => answer.destroy(error));
    answer.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return {
    origin: `http://localhost:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
