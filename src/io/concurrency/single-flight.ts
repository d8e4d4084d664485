// Work that is to be done once for each key, whoever asks for it: one does it, the others wait, and try themselves where it failed.

export interface SingleFlight<Key> {
  /** Works until `isDone` says so. Errors: those of the own work; the signal's reason. */
  run(key: Key, isDone: () => boolean, work: () => Promise<void>, signal?: AbortSignal): Promise<void>;
  /** Resolves when nobody works any more, however it ended. */
  settled(): Promise<void>;
}

export function singleFlight<Key>(): SingleFlight<Key> {
  const under = new Map<Key, Promise<void>>();
  return {
    async run(key, isDone, work, signal) {
      while (!isDone()) {
        signal?.throwIfAborted();
        const other = under.get(key);
        if (other) {
          // Whoever does it says why it failed; then this one tries.
          await other.catch(() => {});
          continue;
        }
        const own = work();
        under.set(key, own);
        try {
          await own;
        } finally {
          under.delete(key);
        }
      }
    },
    settled: async () => {
      await Promise.allSettled(under.values());
    },
  };
}
