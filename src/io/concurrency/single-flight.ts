// Single-flight: of several callers with the same key one does the work and the others wait for it. If it fails, the next caller tries itself.

export interface SingleFlight<Key> {
  /** Works, or waits for others that do, until `isDone()`. Errors: those of the caller's own `work`; the signal's reason. */
  run(key: Key, isDone: () => boolean, work: () => Promise<void>, signal?: AbortSignal): Promise<void>;
  /** Resolves when no work is running any more, whether it succeeded or failed. */
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
          // The error goes to the caller whose work it was. This caller then tries itself.
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
