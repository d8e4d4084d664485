// The only means of parallelism in the program: at most `max` jobs run at a time, in the order in which they were submitted.

export interface Limiter {
  /** Runs `work` as soon as a slot is free. Rejects with the signal's reason if it fires before; running work watches the signal itself. */
  <T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Runs `work` over all items; results are in the order of the items. After a failure no further item starts, and it rejects when the running ones have ended. */
  map<T, R>(items: Iterable<T>, work: (item: T, at: number) => Promise<R>, signal?: AbortSignal): Promise<R[]>;
}

/** `max` is a whole number from 1. */
export function createLimiter(max: number): Limiter {
  if (!Number.isInteger(max) || max < 1) throw new RangeError(`a limiter lets at least one call run [${max}]`);
  const waiting = new Set<() => void>();
  let running = 0;

  const enter = (signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    if (running < max) {
      running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const admit = () => {
        signal?.removeEventListener('abort', give);
        resolve();
      };
      const give = () => {
        waiting.delete(admit);
        reject(signal?.reason);
      };
      waiting.add(admit);
      signal?.addEventListener('abort', give, { once: true });
    });
  };

  // The slot is passed on directly, so that nobody else can take it in between.
  const leave = () => {
    for (const admit of waiting) {
      waiting.delete(admit);
      admit();
      return;
    }
    running--;
  };

  const limit = async <T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    await enter(signal);
    try {
      return await work();
    } finally {
      leave();
    }
  };

  const map = async <T, R>(
    items: Iterable<T>,
    work: (item: T, at: number) => Promise<R>,
    signal?: AbortSignal,
  ): Promise<R[]> => {
    let failure: { readonly error: unknown } | undefined;
    const guarded = async (item: T, at: number): Promise<R> => {
      if (failure) throw failure.error;
      try {
        return await work(item, at);
      } catch (error) {
        failure ??= { error };
        throw error;
      }
    };
    const results = await Promise.allSettled(Array.from(items, (item, at) => limit(() => guarded(item, at), signal)));
    return results.map((result) => {
      if (result.status === 'rejected') throw failure ? failure.error : result.reason;
      return result.value;
    });
  };

  return Object.assign(limit, { map });
}
