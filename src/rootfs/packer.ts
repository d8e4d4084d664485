// Joins small pieces into larger chunks; large pieces pass unchanged. A chunk that was returned is never written to again.

export interface Packer {
  /** Takes ownership of a piece; returns full chunks. */
  add(piece: Uint8Array): readonly Uint8Array[];
  /** Returns what is left. */
  flush(): readonly Uint8Array[];
}

const ARENA = 64 * 1024;
/** In bytes. Copying a larger piece costs more than an additional chunk. */
const LARGE = 16 * 1024;
const NOTHING: readonly Uint8Array[] = [];

export function packer(): Packer {
  let arena = Buffer.allocUnsafeSlow(ARENA);
  let from = 0;
  let to = 0;

  const flush = (): readonly Uint8Array[] => {
    if (from === to) return NOTHING;
    const chunk = arena.subarray(from, to);
    from = to;
    return [chunk];
  };

  return {
    flush,
    add(piece) {
      if (piece.length > LARGE) return [...flush(), piece];
      if (piece.length <= ARENA - to) {
        arena.set(piece, to);
        to += piece.length;
        return NOTHING;
      }
      const full = flush();
      arena = Buffer.allocUnsafeSlow(ARENA);
      arena.set(piece);
      from = 0;
      to = piece.length;
      return full;
    },
  };
}
