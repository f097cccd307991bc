/** A thread that floods: in the thread that measures, the pause would wait for the client that sends the flood. */
import { parentPort, workerData } from 'node:worker_threads';
import { Pool } from 'undici';
import { z } from 'zod';

const planSchema = z.object({
  origin: z.string(),
  requests: z.array(
    z.object({
      method: z.enum(['POST', 'GET', 'DELETE']),
      headers: z.record(z.string(), z.string()),
      body: z.string().nullable(),
    }),
  ),
});
export type Plan = z.infer<typeof planSchema>;

/** When each request was answered, in milliseconds since the epoch, and with which status. */
export type Answers = { at: number; status: number }[];

const { origin, requests } = planSchema.parse(workerData);
const host = new URL(origin).host;
// A connection for each, so that none waits for the answer of another one before it is sent.
const pool = new Pool(origin.replace('localhost', '127.0.0.1'), { connections: requests.length, pipelining: 1 });

async function flood(): Promise<Answers> {
  return Promise.all(
    requests.map(async ({ method, headers, body }) => {
      const { statusCode, body: answer } = await pool.request({
        path: '/mcp',
        method,
        headers: { host, ...headers },
        body,
      });
      await answer.text();
      return { at: performance.timeOrigin + performance.now(), status: statusCode };
    }),
  );
}

parentPort?.on('message', async () => {
  const answers = await flood();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread of Node has no origin
  parentPort?.postMessage(answers);
});
