/** A thousand hostile requests from outside, the same ones each time. `pnpm prove fuzz` sends 50,000. */
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { startShop } from '../proof/bench/bench-server.ts';
import { run } from '../proof/fuzz/hostile-run.ts';

test('every answer to a thousand hostile requests is as it should be', async () => {
  expect(await run({ requests: 1000, seed: 1, say: () => {} })).toEqual([]);
});

/** Neither fetch nor a polite client lets a Host through that is none. */
function statusFor(port: string, host: string): Promise<number | undefined> {
  return new Promise((done, fail) => {
    request({ host: '127.0.0.1', port, path: '/', headers: { host } }, (response) => {
      response.resume();
      done(response.statusCode);
    })
      .on('error', fail)
      .end();
  });
}

test('a Host that is no host is refused like any other that is not ours', async () => {
  const server = await startShop();
  try {
    const { port } = new URL(server.origin);
    for (const host of ['https:evil.example', '[', 'evil.example']) expect(await statusFor(port, host), host).toBe(421);
  } finally {
    await server.stop();
  }
});
