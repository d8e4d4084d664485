// Bytes that are passed on while they are verified: the last ones come only when all of them have proved right, so nobody takes a wrong content for whole.
import type { Bytes } from './bytes.ts';

/** One chunk late. Errors: those of the body, before its last chunk. */
export async function* lastHeldBack(body: Bytes): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const chunk of body) {
    if (chunk.length === 0) continue;
    if (held) yield held;
    held = chunk;
  }
  if (held) yield held;
}
