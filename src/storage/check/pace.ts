// Limits how many bytes a second a check reads, and ends it when its signal is aborted.
import { setTimeout as delay } from 'node:timers/promises';
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { ReadPace } from '../blobs.ts';

/** In milliseconds. Shorter waits are added up until they come to this. */
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
  // The earliest time at which the bytes so far may have been read. Idle time is not made up for by reading faster.
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
    // All readers wait for the same pause.
    if (pausing) return pausing;
    if (pause && sinceStep >= STEP) {
      pausing = stepped();
      return pausing;
    }
    return due - now < SHORTEST ? undefined : delay(due - now, undefined, signal && { signal });
  };
}
