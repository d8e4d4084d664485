// Pipes bytes through one of Node's transform streams, which reads ahead of its consumer. A consumer that leaves early does not wait for input that has not come.
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import type { Bytes } from '../streams/bytes.ts';

/** Milliseconds to wait for a body that is being read right now. A file's pending read finishes within it, and the file can be closed. */
const CLOSES_WITHIN = 50;

/** Errors: those of the body and of the transform, unchanged. */
export async function* throughEngine(body: Bytes, engine: Transform): AsyncGenerator<Uint8Array, void> {
  const fed = pipeline(body, engine);
  // The transform is destroyed with this error and reports it, so it is ignored here.
  const settled = fed.catch(() => {});
  let isWhole = false;
  try {
    for await (const chunk of engine) yield chunk as Uint8Array;
    isWhole = true;
  } finally {
    engine.destroy();
    // A generator that waits for its next chunk, perhaps from a network, cannot be returned before that chunk comes, or fails.
    await (isWhole ? settled : Promise.race([settled, setTimeout(CLOSES_WITHIN, undefined, { ref: false })]));
  }
}
