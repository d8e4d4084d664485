// Bounded repetition of something that may fail for a while.
import { type Backoff, backoffDelay, sleep } from './backoff.ts';

/** What a failed attempt means: give up, or try again, after `after` milliseconds where somebody asked for that. */
export type Verdict = 'give-up' | { readonly after?: number };

export interface RetryOptions {
  readonly backoff: Backoff;
  readonly judge: (error: unknown, attemptsDone: number) => Verdict;
  readonly onRetry?: (wait: number, error: unknown) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Runs `attempt` until it succeeds, is judged hopeless, or the attempts are used up; then its last error is thrown. */
export async function retrying<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let done = 1; ; done += 1) {
    try {
      return await attempt();
    } catch (error) {
      options.signal?.throwIfAborted();
      const verdict = done < options.backoff.attempts ? options.judge(error, done) : 'give-up';
      if (verdict === 'give-up' || (verdict.after ?? 0) > options.backoff.longest) throw error;
      const wait = verdict.after ?? backoffDelay(options.backoff, done);
      options.onRetry?.(wait, error);
      await sleep(wait, options.signal);
    }
  }
}
