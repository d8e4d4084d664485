// Keeps the bytes that a reader has consumed until they are requested by position: the headers of an archive exactly as they are in it.

export interface KeptBytes {
  /** Adds the next chunk of the stream. */
  add(chunk: Uint8Array): void;
  /** The bytes from `from` to `to` (or to the last known one). Nothing before `to` can be requested again. No copy if they are in one chunk. */
  take(from: number, to: number): Uint8Array;
  /** Forgets everything before `position`. */
  drop(position: number): void;
}

const NOTHING = new Uint8Array();

export function keptBytes(): KeptBytes {
  let chunks: Uint8Array[] = [];
  /** Offsets in the stream at which `chunks` begin and end. */
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
