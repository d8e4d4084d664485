// Retries with a limit, for operations that can fail temporarily.
import { type Backoff, backoffDelay, pause } from './backoff.ts';

/** What a failed attempt means: give up, or retry, after `after` milliseconds if the other side asked for that. */
export type RetryVerdict = 'give-up' | { readonly after?: number };

export interface RetryOptions {
  readonly backoff: Backoff;
  readonly judge: (error: unknown, attemptsDone: number) => RetryVerdict;
  readonly onRetry?: (wait: number, error: unknown) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Errors on which some retry loop has given up. Loops are nested (a request needs a token, an upload needs requests), and their attempts must not multiply. */
const givenUp = new WeakSet<object>();

/**
 * Runs `attempt` until it succeeds, its error is judged permanent, or no attempts are left; then the last error is thrown. An error on which an inner loop has
 * given up is not retried.
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
      // `after: 0` counts as no request for a certain pause: the usual backoff applies.
      const wait = verdict.after || backoffDelay(options.backoff, done);
      options.onRetry?.(wait, error);
      await pause(options.backoff, wait, options.signal);
    }
  }
}

/** Whether a retry loop has given up on this error. */
export function isGivenUp(error: unknown): boolean {
  return typeof error === 'object' && error !== null && givenUp.has(error);
}
