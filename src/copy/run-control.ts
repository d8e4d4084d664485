// What all requests of a run share: the limits, and the signal that ends them.
import { type Concurrency, createLimits, type Limits } from './limits.ts';

export interface RunControl {
  readonly limits: Limits;
  /** Aborted by the caller, or with the first failure. */
  readonly signal: AbortSignal;
  /** Aborts the run with this error, unless `keepGoing` is set. */
  fail(error: unknown): void;
}

export interface RunControlOptions {
  readonly keepGoing?: boolean;
  readonly concurrency?: Concurrency;
  readonly signal?: AbortSignal;
}

export function runControl({ keepGoing = false, concurrency, signal }: RunControlOptions): RunControl {
  const abort = new AbortController();
  return {
    limits: createLimits(concurrency),
    signal: signal ? AbortSignal.any([signal, abort.signal]) : abort.signal,
    fail(error) {
      if (!keepGoing) abort.abort(error);
    },
  };
}
