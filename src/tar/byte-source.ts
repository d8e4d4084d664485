// A stream of chunks of any size, read in portions of the reader's choice. Nothing is held but the chunk at hand.

export interface ByteSource {
  /** Exactly `length` bytes; fewer where the stream ends before. For small lengths: it copies. */
  take(length: number): Promise<Uint8Array>;
  /** Some bytes, at least 1 and at most `limit`, without copying; undefined at the end. */
  some(limit: number): Promise<Uint8Array | undefined>;
  /** Passes over `length` bytes; false where the stream ends before. */
  skip(length: number): Promise<boolean>;
  /** Ends the stream. */
  close(): Promise<void>;
}

export function byteSource(stream: AsyncIterable<Uint8Array>): ByteSource {
  const iterator = stream[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array();

  const some = async (limit: number): Promise<Uint8Array | undefined> => {
    while (chunk.length === 0) {
      const next = await iterator.next();
      if (next.done) return undefined;
      chunk = next.value;
    }
    const portion = chunk.subarray(0, limit);
    chunk = chunk.subarray(portion.length);
    return portion;
  };

  return {
    some,
    take: async (length) => {
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const portion = await some(length - filled);
        if (!portion) return bytes.subarray(0, filled);
        bytes.set(portion, filled);
        filled += portion.length;
      }
      return bytes;
    },
    skip: async (length) => {
      for (let left = length; left > 0; ) {
        const portion = await some(left);
        if (!portion) return false;
        left -= portion.length;
      }
      return true;
    },
    close: async () => {
      await iterator.return?.();
    },
  };
}
