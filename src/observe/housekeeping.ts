// What a registry does by itself, as it tells of it.
import type { Digest } from '../oci/digest.ts';
import type { StoreFault } from '../storage/check/findings.ts';
import type { Collection } from '../storage/collector/run.ts';

export type HousekeepingEvent =
  /** `duration` in milliseconds. */
  | { readonly type: 'collected'; readonly collection: Collection; readonly duration: number }
  | ScrubEvent
  /** Told once for the same failure, however often the work is tried again. */
  | { readonly type: 'housekeeping-failed'; readonly error: unknown };

export type OnHousekeeping = (event: HousekeepingEvent) => void;

export type ScrubEvent =
  /** Told when it is found; from then on the blob is not served. */
  { readonly type: 'damaged'; readonly digest: Digest } | RepairEvent | Scrubbed;

export type RepairEvent =
  | { readonly type: 'fetching'; readonly digest: Digest; readonly from: string }
  | { readonly type: 'mended'; readonly fault: StoreFault };

export interface Scrubbed {
  readonly type: 'scrubbed';
  /** Blobs that were hashed, before and after a restart. */
  readonly blobs: number;
  /** In bytes. */
  readonly bytes: number;
  /** What is left of the faults. */
  readonly findings: readonly (StoreFault & { readonly why?: string })[];
  /** How many faults were mended. */
  readonly mended: number;
  /** Those that were not told before. */
  readonly news: Scrubbed['findings'];
  /** Images that cannot be pulled whole, in byte order. */
  readonly incomplete: readonly string[];
}
