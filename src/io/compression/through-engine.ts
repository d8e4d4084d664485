// Bytes through one of Node's transforms, which takes them ahead of who reads. Who leaves early does not wait for what has not come yet.
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import type { Bytes } from '../streams/bytes.ts';

/** For a body that is just being read: that of a file gives what it reads, and closes. In milliseconds. */
const CLOSES_WITHIN = 50;

/** Errors: those of the body and the engine, as they are. */
export async function* throughEngine(body: Bytes, engine: Transform): AsyncGenerator<Uint8Array, void> {
  const fed = pipeline(body, engine);
  // Told by the engine as well: it is destroyed with the same error.
  const settled = fed.catch(() => {});
  let isWhole = false;
  try {
    for await (const chunk of engine) yield chunk as Uint8Array;
    isWhole = true;
  } finally {
    engine.destroy();
    // A generator that waits for its next chunk, from a network perhaps, cannot be returned before: it is when that comes, or fails.
    await (isWhole ? settled : Promise.race([settled, setTimeout(CLOSES_WITHIN, undefined, { ref: false })]));
  }
}
