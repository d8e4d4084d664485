// The scrub of a registry that runs: once a week all of its store is checked, slowly and when nobody asks for anything. It goes on after a restart.
import { setTimeout as delay } from 'node:timers/promises';
import type { ScrubEvent } from '../../observe/housekeeping.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { type LastCheck, readLastCheck } from '../../storage/check/check-record.ts';
import { incompleteImages, type StoreFault } from '../../storage/check/findings.ts';
import { steadyPace } from '../../storage/check/pace.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { storeHealth } from '../../storage/store-health.ts';
import { mendByScrub } from './mend-by-scrub.ts';
import type { ImageHosts } from './registry-clients.ts';

/** From the end of one check of all, whoever made it, to the next. In milliseconds. */
export const SCRUB_EVERY_MS = 7 * 24 * 3600_000;

/** In bytes per second: 1.7 TB a day. */
export const SCRUB_RATE = 20_000_000;

export interface Scrub {
  readonly store: EmbeddedStore;
  readonly signal: AbortSignal;
  /** In milliseconds between the two looks at what was found. */
  readonly betweenMs: number;
  /** True once it is to end: it is no longer wanted. */
  readonly isOver: () => boolean;
  readonly isBusy: () => boolean;
  /** What else the registry has to do at times. The scrub waits for it. */
  readonly between: () => Promise<void>;
  /** The registries that images come from; without it, nothing is mended. */
  readonly openHosts?: () => Promise<ImageHosts>;
  readonly onEvent: (event: ScrubEvent) => void;
}

/** Milliseconds since a scrub has been due, negative before. `began`: when the registry started. */
export async function scrubOverdueFor({ objects }: EmbeddedStore, began: number): Promise<number> {
  const last = await readLastCheck(objects);
  // A clock that was set back must not put it off for ever.
  return last ? Math.abs(Date.now() - last.finished.getTime()) - SCRUB_EVERY_MS : Math.abs(Date.now() - began);
}

/** When the next scrub begins, at the earliest. */
export function nextScrub(last: LastCheck | undefined): Date {
  return last ? new Date(last.finished.getTime() + SCRUB_EVERY_MS) : new Date();
}

/** A check that could not write what it finds would begin again and again. */
export async function canBeScrubbed({ directory }: EmbeddedStore): Promise<boolean> {
  try {
    await storeHealth(directory).canWrite();
    return true;
  } catch (error) {
    if (isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) return false;
    throw error;
  }
}

/** Scrubs a store, and remembers what it has told. Returns false if it ended because it is over. */
export function newScrubber(): (scrub: Scrub) => Promise<boolean> {
  let told = new Set<string>();
  let damaged = new Set<Digest>();
  return async ({ store, signal, betweenMs, isOver, isBusy, between, openHosts, onEvent }) => {
    const { checkStore } = await import('../../storage/check/check-store.ts');
    const unwanted = new AbortController();
    const ending = AbortSignal.any([signal, unwanted.signal]);
    const rest = rests(isBusy, ending);
    const pause = async () => {
      if (isOver()) unwanted.abort();
      ending.throwIfAborted();
      await between();
      await rest();
    };
    try {
      const check = await checkStore(store, {
        origin: 'scheduled',
        rate: SCRUB_RATE,
        signal: ending,
        betweenMs,
        pause,
        onEvent: (event) => {
          if (event.type !== 'damaged' || damaged.has(event.digest)) return;
          damaged.add(event.digest);
          onEvent(event);
        },
      });
      const { blobs, bytes } = check;
      const mend = {
        store,
        openHosts,
        signal: ending,
        betweenMs,
        pace: steadyPace({ rate: SCRUB_RATE, signal: ending, pause }),
      };
      const { mended, faults: findings } = await mendByScrub(check, { ...mend, onEvent });
      const news = findings.filter((finding) => !told.has(idOf(finding)));
      told = new Set(findings.map(idOf));
      // What was mended since then is news if it is damaged again.
      damaged = new Set(findings.flatMap(({ kind, digest }) => (kind === 'damaged-blob' && digest ? [digest] : [])));
      onEvent({
        type: 'scrubbed',
        blobs,
        bytes,
        findings,
        mended: mended.length,
        news,
        incomplete: incompleteImages({ findings }),
      });
      return true;
    } catch (error) {
      if (!unwanted.signal.aborted) throw error;
      return false;
    }
  };
}

function idOf({ kind, where }: StoreFault): string {
  return `${kind} ${where}`;
}

const LONGEST_REST_MS = 1000;

/** After each step, while requests are being answered: nine times as long as the step took. */
function rests(isBusy: () => boolean, signal: AbortSignal): () => Promise<void> {
  let steppedAt = performance.now();
  return async () => {
    const wait = isBusy() ? Math.min((performance.now() - steppedAt) * 9, LONGEST_REST_MS) : 0;
    await delay(Math.max(1, wait), undefined, { signal }).catch(() => signal.throwIfAborted());
    steppedAt = performance.now();
  };
}
