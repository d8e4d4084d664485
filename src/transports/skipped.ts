// A stream without its first bytes, for transports that can only read from the beginning.
import type { Bytes } from '../io/streams/bytes.ts';

/** Skips the first `count` bytes. */
export async function* skipped(body: Bytes, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of body) {
    const rest = chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
    if (rest.length > 0) yield rest;
  }
}
