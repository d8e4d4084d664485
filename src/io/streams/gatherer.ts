// Collects chunks in order to join them.

export interface Gatherer {
  add(chunk: Uint8Array): Gatherer;
  length(): number;
  /** All chunks joined; there is no copy if there was only one. */
  flush(): Uint8Array;
}

export function gatherer(): Gatherer {
  let chunks: Uint8Array[] = [];
  let length = 0;
  const self: Gatherer = {
    add(chunk) {
      chunks.push(chunk);
      length += chunk.length;
      return self;
    },
    length: () => length,
    flush() {
      const whole = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, length);
      chunks = [];
      length = 0;
      return whole;
    },
  };
  return self;
}
