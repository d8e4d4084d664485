// A limiter for each of many keys, below one for all of them: what is slow for one key leaves room for the others.
import { createLimiter, type Limiter } from './limiter.ts';

/** As `Limiter`, among those of the same key first. */
export type KeyedLimiter = <T>(key: string, work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** `each`, `all`: whole numbers from 1. Keys that nobody uses cost nothing. */
export function createKeyedLimiter({ each, all }: { readonly each: number; readonly all: number }): KeyedLimiter {
  const total = createLimiter(all);
  const known = new Map<string, { readonly limit: Limiter; users: number }>();
  return async (key, work, signal) => {
    const one = known.get(key) ?? { limit: createLimiter(each), users: 0 };
    known.set(key, one);
    one.users += 1;
    try {
      return await one.limit(() => total(work, signal), signal);
    } finally {
      one.users -= 1;
      if (one.users === 0) known.delete(key);
    }
  };
}
