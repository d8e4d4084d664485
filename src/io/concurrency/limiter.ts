// The one way to be parallel: at most so many pieces of work at a time, first come, first served.

export interface Limiter {
  /** Runs `work` when there is a place for it. Rejects with the signal's reason where that fires while it waits; running work sees to the signal itself. */
  <T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Runs `work` over all items, results in their order. After the first failure no further item is begun; rejects with it when those running have ended. */
  map<T, R>(items: Iterable<T>, work: (item: T, at: number) => Promise<R>, signal?: AbortSignal): Promise<R[]>;
}

/** `max` is a whole number from 1. */
export function createLimiter(max: number): Limiter {
  if (!Number.isInteger(max) || max < 1) throw new RangeError(`a limiter needs at least one place [${max}]`);
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

  // A place is handed on, not freed and raced for.
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
