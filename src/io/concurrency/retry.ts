// Bounded repetition of something that may fail for a while.
import { type Backoff, backoffDelay, sleep } from './backoff.ts';

/** What a failed attempt means: give up, or try again, after `after` milliseconds where somebody asked for that. */
export type RetryVerdict = 'give-up' | { readonly after?: number };

export interface RetryOptions {
  readonly backoff: Backoff;
  readonly judge: (error: unknown, attemptsDone: number) => RetryVerdict;
  readonly onRetry?: (wait: number, error: unknown) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What some loop has tried its best about. Loops stand inside each other (a request needs a token, an upload needs requests): their attempts must not multiply. */
const givenUp = new WeakSet<object>();

/**
 * Runs `attempt` until it succeeds, is judged hopeless, or the attempts are used up; then its last error is thrown. What a loop further in has
 * given up is given up here.
 */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let done = 1; ; done += 1) {
    try {
      return await attempt();
    } catch (error) {
      options.signal?.throwIfAborted();
      const hopeless = done >= options.backoff.attempts || isGivenUp(error);
      const verdict = hopeless ? 'give-up' : options.judge(error, done);
      if (verdict === 'give-up' || (verdict.after ?? 0) > options.backoff.longest) {
        if (typeof error === 'object' && error !== null) givenUp.add(error);
        throw error;
      }
      // A pause of nothing asks for none: the usual one is polite.
      const wait = verdict.after || backoffDelay(options.backoff, done);
      options.onRetry?.(wait, error);
      await sleep(wait, options.signal);
    }
  }
}

/** True for what a loop has given up. */
export function isGivenUp(error: unknown): boolean {
  return typeof error === 'object' && error !== null && givenUp.has(error);
}
