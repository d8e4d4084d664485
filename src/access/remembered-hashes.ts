// Keyed hashes that are remembered for a while. Bounded: the oldest is forgotten first.

export interface RememberedHashes {
  has(hash: string): boolean;
  add(hash: string): void;
}

export interface RememberOptions {
  readonly ms: number;
  readonly most: number;
  /** In ms. */
  readonly now: () => number;
}

export function rememberedHashes({ ms, most, now }: RememberOptions): RememberedHashes {
  const since = new Map<string, number>();
  return {
    has: (hash) => {
      const then = since.get(hash);
      if (then === undefined) return false;
      const age = now() - then;
      if (age >= 0 && age < ms) return true;
      since.delete(hash);
      return false;
    },
    add: (hash) => {
      since.delete(hash);
      since.set(hash, now());
      for (const oldest of since.keys()) {
        if (since.size <= most) return;
        since.delete(oldest);
      }
    },
  };
}
