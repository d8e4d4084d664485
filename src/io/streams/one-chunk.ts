// A stream from bytes in memory.
import type { WholeBytes } from './bytes.ts';

/** Yields the bytes as one chunk; no chunk if there are no bytes. Who wants all bytes can have them at once (`wholeOf`). */
export function oneChunk(bytes: Uint8Array): WholeBytes {
  return {
    whole: bytes,
    async *[Symbol.asyncIterator]() {
      if (bytes.length > 0) yield bytes;
    },
  };
}
