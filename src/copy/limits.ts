// How many requests a copy sends at a time: to each source host, and in total. A request takes its slot of the host before its slot of the total, so there is
// no deadlock.
import { createLimiter, type Limiter } from '../io/concurrency/limiter.ts';

export interface Concurrency {
  /** Requests under way over all hosts; 6 when absent. */
  readonly overall?: number;
  /** Requests under way at one source host; 4 when absent. */
  readonly perHost?: number;
}

export interface Limits {
  /** A request to a source. */
  source<T>(host: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** A short request to the destination. It never waits for blobs, so that a complete image is committed at once. */
  sink: Limiter;
}

export function createLimits({ overall = 6, perHost = 4 }: Concurrency = {}): Limits {
  const all = createLimiter(overall);
  const hosts = new Map<string, Limiter>();
  return {
    source(host, work, signal) {
      let limit = hosts.get(host);
      if (!limit) {
        limit = createLimiter(perHost);
        hosts.set(host, limit);
      }
      return limit(() => all(work, signal), signal);
    },
    sink: createLimiter(overall),
  };
}
