// What is counted of garbage collections and checks of the store.
import { type MetricFamily, metricOf } from './exposition.ts';

export interface HousekeepingMetrics {
  collected(collection: CountedCollection): void;
  checked(check: CountedCheck): void;
  /** A blob was found that is not what its digest says. */
  damaged(): void;
  failed(): void;
  /** What the store remembers of the last ones, which others may have made: takes the place of what was told, if it is newer. */
  remember(last: RememberedRuns): void;
  families(): readonly MetricFamily[];
}

export interface CountedCollection {
  /** When it ended. */
  readonly at: Date;
  /** In milliseconds. */
  readonly duration: number;
  readonly manifests: number;
  readonly blobs: number;
  readonly bytes: number;
}

export interface CountedCheck extends RememberedCheck {
  readonly mended: number;
}

export interface RememberedCheck {
  readonly at: Date;
  /** In milliseconds, restarts included. */
  readonly duration?: number;
  /** What is left of the faults. */
  readonly findings: number;
  /** Images that cannot be pulled whole. */
  readonly incomplete: number;
}

export interface RememberedRuns {
  readonly collected?: Date;
  readonly check?: RememberedCheck;
}

export function housekeepingMetrics(): HousekeepingMetrics {
  const totals = { collections: 0, manifests: 0, blobs: 0, bytes: 0, checks: 0, mended: 0, damaged: 0, failed: 0 };
  let collectedAt: Date | undefined;
  let duration: number | undefined;
  let check: RememberedCheck | undefined;
  return {
    collected: (collection) => {
      collectedAt = collection.at;
      duration = collection.duration;
      totals.collections += 1;
      totals.manifests += collection.manifests;
      totals.blobs += collection.blobs;
      totals.bytes += collection.bytes;
    },
    checked: (done) => {
      check = done;
      totals.checks += 1;
      totals.mended += done.mended;
    },
    damaged: () => {
      totals.damaged += 1;
    },
    failed: () => {
      totals.failed += 1;
    },
    remember: (last) => {
      if (last.collected && !(collectedAt && collectedAt >= last.collected)) {
        collectedAt = last.collected;
        duration = undefined;
      }
      if (last.check && !(check && check.at > last.check.at)) check = last.check;
    },
    families: () => [
      metricOf('images_gc_last_run_timestamp_seconds', 'When garbage was last collected.', secondsOf(collectedAt)),
      metricOf(
        'images_gc_last_duration_seconds',
        'How long this registry took for the last collection.',
        inSeconds(duration),
      ),
      metricOf('images_gc_runs_total', 'Collections by this registry.', totals.collections),
      metricOf('images_gc_deleted_manifests_total', 'Manifests that collections deleted.', totals.manifests),
      metricOf('images_gc_deleted_blobs_total', 'Blobs that collections deleted, manifests among them.', totals.blobs),
      metricOf('images_gc_freed_bytes_total', 'Bytes that collections freed.', totals.bytes),
      metricOf(
        'images_scrub_last_run_timestamp_seconds',
        'When all of the store was last checked.',
        secondsOf(check?.at),
      ),
      metricOf(
        'images_scrub_last_duration_seconds',
        'From the begin of the last check to its end.',
        inSeconds(check?.duration),
      ),
      metricOf('images_scrub_findings', 'Faults that the last check found and that are not mended.', check?.findings),
      metricOf('images_scrub_incomplete_images', 'Images that the last check could not read whole.', check?.incomplete),
      metricOf('images_scrub_runs_total', 'Checks by this registry.', totals.checks),
      metricOf('images_scrub_mended_total', 'Faults that checks mended.', totals.mended),
      metricOf('images_scrub_damaged_blobs_total', 'Blobs that were found damaged.', totals.damaged),
      metricOf('images_housekeeping_failures_total', 'Collections and checks that failed.', totals.failed),
    ],
  };
}

function secondsOf(time: Date | undefined): number | undefined {
  return time && time.getTime() / 1000;
}

function inSeconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}
