// A stream from bytes in memory.

/** Yields the bytes as one chunk; no chunk if there are no bytes. */
export async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  if (bytes.length > 0) yield bytes;
}
