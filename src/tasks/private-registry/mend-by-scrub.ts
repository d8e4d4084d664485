// What a scrub has found is mended as `lreg_check --repair` mends it, by nobody's wish: so at the pace of the scrub, one blob after the other, and not all that a
// broken disk has lost in one week. Where no image has come from anywhere, nobody is asked for anything.
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { RepairEvent } from '../../observe/housekeeping.ts';
import type { ReadPace } from '../../storage/blobs.ts';
import { noteMended } from '../../storage/check/check-record.ts';
import type { StoreFaults } from '../../storage/check/find-faults.ts';
import { incompleteImages } from '../../storage/check/findings.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import type { ImageHosts } from './registry-clients.ts';
import type { Repair } from './repair-store.ts';

/** Blobs that one scrub fetches. */
const MOST = 1000;

export interface ScrubMending extends CallOptions {
  readonly store: EmbeddedStore;
  /** Without it, nothing is mended. */
  readonly openHosts: (() => Promise<ImageHosts>) | undefined;
  readonly pace: ReadPace;
  /** In milliseconds between two looks at what is left. */
  readonly betweenMs?: number;
  readonly onEvent: (event: RepairEvent) => void;
}

/** Errors: the signal's reason; what is mended until then stays so. */
export async function mendByScrub(check: StoreFaults, { openHosts, ...mending }: ScrubMending): Promise<Repair> {
  if (!openHosts || !check.findings.some(({ mend }) => mend !== 'none')) return { mended: [], faults: check.findings };
  const { repairStore } = await import('./repair-store.ts');
  let opened: Promise<ImageHosts> | undefined;
  const hosts = () => {
    opened ??= openHosts();
    return opened;
  };
  try {
    const repair = await repairStore(check, { ...mending, hosts, atOnce: 1, most: MOST });
    const { faults } = repair;
    await noteMended(mending.store.objects, {
      findings: faults.length,
      images: incompleteImages({ findings: faults }).length,
    });
    return repair;
  } finally {
    await (await opened)?.[Symbol.asyncDispose]();
  }
}
