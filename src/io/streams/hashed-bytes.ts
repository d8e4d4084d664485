// Hashes a stream. Where that is possible, in memory that is used again: chunks of their own would be garbage as fast as they come.
import type { Hash } from 'node:crypto';
import { type Bytes, canFill, type FillingBytes } from './bytes.ts';

/** In bytes. */
const BUFFER = 256 * 1024;

/** Adds all bytes to the hash. `pace` is called with the length of each piece, and may wait. */
export async function hashedBytes(
  body: Bytes,
  hash: Pick<Hash, 'update'>,
  pace?: (bytes: number) => Promise<void> | undefined,
): Promise<void> {
  if (canFill(body)) return await hashedByFilling(body, hash, pace);
  for await (const chunk of body) {
    hash.update(chunk);
    const wait = pace?.(chunk.length);
    if (wait) await wait;
  }
}

/** One buffer is filled while the other is hashed. */
async function hashedByFilling(
  body: FillingBytes,
  hash: Pick<Hash, 'update'>,
  pace?: (bytes: number) => Promise<void> | undefined,
): Promise<void> {
  let [buffer, next] = [Buffer.allocUnsafeSlow(BUFFER), Buffer.allocUnsafeSlow(BUFFER)];
  let filling = body.fill(buffer);
  try {
    for (let count = await filling; count > 0; count = await filling) {
      filling = body.fill(next);
      // It is awaited once this one is hashed.
      filling.catch(() => {});
      hash.update(buffer.subarray(0, count));
      [buffer, next] = [next, buffer];
      const wait = pace?.(count);
      if (wait) await wait;
    }
  } finally {
    // Nobody may close the file while it is read.
    await filling.catch(() => {});
    await body[Symbol.asyncIterator]().return?.();
  }
}
