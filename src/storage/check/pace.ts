// How fast a check reads: so many bytes a second at most, and it ends when it is told to.
import { setTimeout as delay } from 'node:timers/promises';
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { ReadPace } from '../blobs.ts';

/** In milliseconds: shorter waits are saved up. */
const SHORTEST = 20;

export interface PaceOptions extends CallOptions {
  /** In bytes per second. */
  readonly rate?: number;
  /** Called now and then: it may wait while others are busy. */
  readonly pause?: () => Promise<void>;
}

/** In bytes: how much is read between two calls of `pause`. */
const STEP = 4 * 1024 * 1024;

export function steadyPace({ rate, pause, signal }: PaceOptions): ReadPace {
  // When the bytes so far may have been read. Time in which nothing was read is not made up for.
  let due = performance.now();
  let sinceStep = 0;
  let pausing: Promise<void> | undefined;

  async function stepped(): Promise<void> {
    sinceStep = 0;
    try {
      await pause?.();
    } finally {
      pausing = undefined;
    }
  }

  return (bytes) => {
    if (signal?.aborted) return Promise.reject(signal.reason);
    sinceStep += bytes;
    const now = performance.now();
    if (rate !== undefined) due = Math.max(due, now - SHORTEST) + (bytes / rate) * 1000;
    // All that read at the same time wait in it.
    if (pausing) return pausing;
    if (pause && sinceStep >= STEP) {
      pausing = stepped();
      return pausing;
    }
    return due - now < SHORTEST ? undefined : delay(due - now, undefined, signal && { signal });
  };
}
