// The bytes of a stream that its reader has taken, kept until they are asked for by position: an archive's headers as they stand in it.

export interface KeptBytes {
  /** The stream's next chunk. */
  add(chunk: Uint8Array): void;
  /** Bytes from `from` up to `to`, or to the last one that came; nothing before `to` is asked for again. Not copied where they are in one chunk. */
  take(from: number, to: number): Uint8Array;
  /** Nothing before `position` is asked for. */
  drop(position: number): void;
}

const NOTHING = new Uint8Array();

export function keptBytes(): KeptBytes {
  let chunks: Uint8Array[] = [];
  /** Where in the stream `chunks` begin, and where they end. */
  let start = 0;
  let end = 0;

  const drop = (position: number): void => {
    for (let first = chunks[0]; first && start + first.length <= position; first = chunks[0]) {
      start += first.length;
      if (chunks.length === 1) chunks = [];
      else chunks.shift();
    }
  };

  return {
    add(chunk) {
      chunks.push(chunk);
      end += chunk.length;
    },
    take(from, to) {
      const limit = Math.min(to, end);
      if (limit <= from) return NOTHING;
      drop(from);
      const parts: Uint8Array[] = [];
      let at = start;
      for (const chunk of chunks) {
        if (at >= limit) break;
        parts.push(chunk.subarray(Math.max(0, from - at), limit - at));
        at += chunk.length;
      }
      drop(to);
      return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
    },
    drop,
  };
}
