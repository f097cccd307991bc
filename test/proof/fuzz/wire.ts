/** Sends one hostile request as it stands, which no polite client would, and takes whatever comes. */
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http';
import type { Answer, HostileRequest } from './request.ts';

/** Milliseconds for a whole answer. Far more than any takes: what is over it hangs. */
const DEADLINE = 30_000;
/** Bytes of a body that are sent at a time when its length is not declared. */
const PIECE = 16 * 1024;
/** A masked text frame, a frame without a mask, and noise. */
const FRAMES = [
  [0x81, 0x85, 1, 2, 3, 4, 0x69, 0x67, 0x6f, 0x68, 0x6e],
  [0x81, 0x02, 0x68, 0x69],
  [0xff, 0xff, 0xff, 0xff, 0x00],
];

export class NoAnswerError extends Error {}

export class Wire {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** Throws NoAnswerError when the connection breaks or nothing comes in time. */
  async send({ method, path, headers, body }: HostileRequest): Promise<Answer> {
    try {
      return await this.#try({ method, path, headers, body });
    } catch (error) {
      // A kept connection may have been closed by the server just then; nobody can tell before trying.
      if (error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE'))
        return this.#try({ method, path, headers: { ...headers, connection: 'close' }, body });
      throw error;
    }
  }

  #try({
    method,
    path,
    headers,
    body,
  }: Pick<HostileRequest, 'method' | 'path' | 'headers'> & { body: HostileRequest['body'] }): Promise<Answer> {
    const bytes = body && Buffer.from(body.text, body.encoding);
    return new Promise((done, fail) => {
      const sent = httpRequest({
        host: '127.0.0.1',
        port: this.#port,
        agent: this.#agent,
        method,
        path,
        headers: {
          ...headers,
          ...(bytes && !body.chunked && { 'content-length': bytes.length }),
          ...(bytes && body.chunked && { 'transfer-encoding': 'chunked' }),
        },
      });
      const timer = setTimeout(
        () => sent.destroy(new NoAnswerError(`no whole answer within ${DEADLINE / 1000} seconds`)),
        DEADLINE,
      );
      const end = (answer: Answer) => {
        clearTimeout(timer);
        done(answer);
      };
      let answered = false;
      sent.on('response', (response) => {
        answered = true;
        read(response).then(end, fail);
      });
      sent.on('upgrade', (response, socket) => {
        answered = true;
        socket.on('error', () => {});
        for (const frame of FRAMES) socket.write(Buffer.from(frame));
        setTimeout(() => socket.destroy(), 20);
        end({ status: 101, headers: flat(response), cookies: [], text: '' });
      });
      sent.on('error', (error) => {
        // A server may answer and close before it has read all of a body that is too large.
        if (answered) return;
        clearTimeout(timer);
        fail(error);
      });
      if (bytes && body.chunked)
        for (let at = 0; at < bytes.length; at += PIECE) sent.write(bytes.subarray(at, at + PIECE));
      else if (bytes) sent.write(bytes);
      sent.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return {
    status: response.statusCode ?? 0,
    headers: flat(response),
    cookies: response.headers['set-cookie'] ?? [],
    text: Buffer.concat(chunks).toString('utf8'),
  };
}

function flat({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
