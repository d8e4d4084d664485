// The figures of the store for `/metrics`: what the registry knows without a walk through it.
import { statfs } from 'node:fs/promises';
import type { RememberedRuns } from '../../observe/metrics/housekeeping-metrics.ts';
import type { StoreFigures } from '../../observe/metrics/registry-metrics.ts';
import { readLastCheck } from '../../storage/check/check-record.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { lastCollected } from '../../storage/repositories/last-collection.ts';
import { lastSample } from '../../storage/repositories/space-samples.ts';

export interface StoreLooks {
  /** What is known; looks again first if that was some time ago, and does not wait long for a disk that hangs. */
  figures(): Promise<StoreFigures>;
  /** Of the last look. */
  readonly remembered: RememberedRuns;
}

/** In milliseconds: so old may be what is told of the store. */
const RECORDS_MS = 60_000;
const SPACE_MS = 5000;
/** In milliseconds: Prometheus waits for ten seconds. */
const PATIENCE_MS = 1000;

export function storeLooks(
  { directory, objects, blobs, space }: EmbeddedStore,
  quota: () => number | undefined,
): StoreLooks {
  let records: Pick<StoreFigures, 'sample' | 'damaged'> = {};
  let remembered: RememberedRuns = {};
  let free: Pick<StoreFigures, 'size' | 'available'> = {};
  const lookAtRecords = nowAndThen(RECORDS_MS, async () => {
    const [sample, collected, check] = [
      await lastSample(objects),
      await lastCollected(objects),
      await readLastCheck(objects),
    ];
    const { size: damaged } = await blobs.damaged();
    records = { damaged, ...(sample && { sample }) };
    remembered = {
      ...(collected && { collected }),
      ...(check && {
        check: {
          at: check.finished,
          duration: check.finished.getTime() - check.since.getTime(),
          findings: check.findings,
          incomplete: check.images,
        },
      }),
    };
  });
  const lookAtSpace = nowAndThen(SPACE_MS, async () => {
    const { blocks, bavail, bsize } = await statfs(directory);
    free = { size: blocks * bsize, available: bavail * bsize };
  });
  return {
    figures: async () => {
      await Promise.all([lookAtRecords(), lookAtSpace()]);
      const [used, limit] = [space?.known, quota()];
      return { ...records, ...free, ...(used !== undefined && { used }), ...(limit !== undefined && { quota: limit }) };
    },
    get remembered() {
      return remembered;
    },
  };
}

/** One look at a time. What prevents one is told by the checks of health. */
function nowAndThen(everyMs: number, look: () => Promise<void>): () => Promise<void> {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;
  return async () => {
    if (performance.now() - lookedAt < everyMs) return;
    looking ??= look()
      .then(() => {
        lookedAt = performance.now();
      })
      .catch(() => {})
      .finally(() => {
        looking = undefined;
      });
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, PATIENCE_MS);
    await Promise.race([looking, late]);
    clearTimeout(timer);
  };
}
