// A stream of bytes that are in memory.

/** One chunk; none where there are no bytes. */
export async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  if (bytes.length > 0) yield bytes;
}
