/** Reading a body that somebody else has made as long as they like. */

/** The body, or undefined when it is longer. What is over is not read. */
export async function readAtMost(
  most: number,
  message: Request | Response,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!message.body) return new Uint8Array();
  if (Number(message.headers.get('Content-Length')) > most) {
    await message.body.cancel();
    return undefined;
  }
  const reader = message.body.getReader({ mode: 'byob' });
  // With room for one byte too many.
  const { value } = await reader.readAtLeast(most + 1, new Uint8Array(most + 1));
  if (!value || value.byteLength <= most) return value ?? new Uint8Array();
  await reader.cancel();
  return undefined;
}
