// What a registry that serves writes down by itself: pulls, every minute, and the space that is used, every day.
import { setTimeout as delay } from 'node:timers/promises';
import { isImagesError } from '../../oci/errors.ts';
import type { MissCounts } from '../../storage/repositories/missed-images.ts';
import { forgetLostPulls, type PullCounts } from '../../storage/repositories/pull-records.ts';
import { isSampled, takeSample } from '../../storage/repositories/space-samples.ts';
import type { Store } from '../../storage/store.ts';

/** In milliseconds. A crash loses the pulls of so long. */
const EVERY_MS = 60_000;
/** In milliseconds, after a sample that could not be taken or written. */
const RETRY_MS = 3600_000;
/** In milliseconds, between two steps of the daily sample: requests come first. */
const PAUSE_MS = 5;

export interface RecordKeeping {
  /** Writes what is pending, and stops. */
  end(): Promise<void>;
}

export interface RecordKeepingOptions {
  readonly pulls: PullCounts;
  /** What was asked for and not here. */
  readonly misses?: MissCounts;
  /** False if the directory was removed or unmounted: nothing is written then. */
  readonly isThere?: () => Promise<boolean>;
  /** Told of what could not be written down. Nothing else fails because of it. */
  readonly onFailure: (error: unknown) => void;
}

export function keepRecords(store: Store, { pulls, misses, isThere, onFailure }: RecordKeepingOptions): RecordKeeping {
  const ending = new AbortController();
  const step = async () => {
    await delay(PAUSE_MS, undefined, { signal: ending.signal, ref: false });
  };

  const attempt = async (todo: () => Promise<void>, failed?: () => void) => {
    try {
      if (isThere && !(await isThere())) return;
      await todo();
    } catch (error) {
      failed?.();
      // Read-only media keep no records.
      if (!ending.signal.aborted && !isImagesError(error, 'READ_ONLY', 'NO_ACCESS')) onFailure(error);
    }
  };
  const flush = oneAtATime(() => attempt(() => pulls.flush(store.objects)));
  let missedAt = Number.NEGATIVE_INFINITY;
  const flushMisses = oneAtATime(async () => {
    if (!misses?.isPending) return;
    missedAt = performance.now();
    await attempt(() => misses.flush(store.objects));
  });
  // The first miss after a quiet minute is written at once: whoever looks why a node does not start sees it.
  if (misses) {
    misses.onFirst = () => {
      if (performance.now() - missedAt >= EVERY_MS) void flushMisses.start();
    };
  }
  // A large store takes longer than a minute: pulls do not wait for it.
  // And it is not walked through each minute because its disk is full.
  let failedAt = Number.NEGATIVE_INFINITY;
  const takeTodays = async () => {
    const now = new Date();
    if (await isSampled(store.objects, now)) return;
    if (await takeSample(store, { now, step })) await forgetLostPulls(store.objects, step);
  };
  const sample = oneAtATime(async () => {
    if (Math.abs(Date.now() - failedAt) < RETRY_MS) return;
    await attempt(takeTodays, () => {
      failedAt = Date.now();
    });
  });
  const timer = setInterval(() => {
    void flush.start();
    void flushMisses.start();
    void sample.start();
  }, EVERY_MS);
  timer.unref();

  return {
    end: async () => {
      clearInterval(timer);
      ending.abort();
      await Promise.all([flush.ended(), flushMisses.ended(), sample.ended()]);
      await Promise.all([flush.start(), flushMisses.start()]);
    },
  };
}

/** Starting it while it runs starts nothing. */
function oneAtATime(work: () => Promise<void>) {
  let running: Promise<void> | undefined;
  return {
    start: () => {
      running ??= work().finally(() => {
        running = undefined;
      });
      return running;
    },
    ended: async () => await running,
  };
}
