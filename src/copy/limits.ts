// How much a copy does at a time: per source host, and over all. Places of a host are taken before places over all, so nobody waits in a circle.
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
  /** A short request to the destination: these never wait behind blobs, so that a complete image is committed at once. */
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
