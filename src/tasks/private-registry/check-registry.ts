// `lreg_check`: verifies the embedded registry's store, and mends what it can. The registry may run.
import type { RepairEvent } from '../../observe/housekeeping.ts';
import { checkArguments, OBJECT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Reference } from '../../oci/reference.ts';
import { noteMended } from '../../storage/check/check-record.ts';
import type { CheckEvent, StoreCheck } from '../../storage/check/check-store.ts';
import { incompleteImages, type StoreFault } from '../../storage/check/findings.ts';
import { type EmbeddedStore, embeddedStoreExists, openEmbeddedStore } from '../../storage/embedded-store.ts';
import { SETTINGS } from '../arguments.ts';
import { callOptions, type Settings, storeOptions } from '../settings.ts';
import type { CheckedParts } from './checked-images.ts';
import { locateRegistry, noRegistry } from './locate-registry.ts';
import { noStore } from './private-registry.ts';
import type { LeftFault } from './repair-store.ts';

export interface CheckRegistryOptions {
  /** Only these images; all of the store if empty. */
  readonly images?: readonly Reference[];
  readonly repair?: boolean;
  /** Begins anew, although an earlier check was interrupted. */
  readonly restart?: boolean;
  /** In bytes per second. */
  readonly rate?: number;
  /** Counts all blobs first, for the event `total`. */
  readonly counted?: boolean;
  /** In milliseconds between two looks at the links. Default: a second. Others work meanwhile: what is seen only once is no fault. */
  readonly betweenMs?: number;
  readonly onEvent?: (event: CheckEvent | RepairEvent) => void;
}

export interface RegistryCheck {
  /** The data directory. */
  readonly data: string;
  /** Blobs that were hashed, and their bytes; with those of an interrupted check that this one went on with. */
  readonly blobs: number;
  readonly bytes: number;
  /** What was found and mended. */
  readonly mended: readonly StoreFault[];
  /** What is still there, and what to do. */
  readonly faults: readonly LeftFault[];
  /** Images that cannot be pulled whole, in byte order. */
  readonly incomplete: readonly string[];
  /** Damaged blobs that could not be marked, because nothing can be written: other processes serve them. */
  readonly unmarked: number;
  /** True if there are more faults than are listed. */
  readonly isMore: boolean;
}

/**
 * Hashes all blobs, or those of some images, and looks at all links and records. Damage is marked as it is found, so that it is served no more. With `repair`,
 * what can be mended is. When the signal ends it, the next check goes on there. Errors: UNSUPPORTED (the private registry is not this user's embedded one),
 * NO_REGISTRY, MANIFEST_UNKNOWN (no such image), NO_ACCESS.
 */
export async function checkRegistry(options: CheckRegistryOptions, settings: Settings): Promise<RegistryCheck> {
  checkArguments({ options: [options, OBJECT], settings: [settings, SETTINGS] });
  const { images = [], repair = false } = options;
  const location = await locateRegistry(settings);
  if (!location) throw noRegistry(settings);
  if (location.kind === 'remote') {
    throw new ImagesError('UNSUPPORTED', `only the embedded registry can be checked [${location.address.host}]`, {
      hint: 'Check images of other registries one by one: `images check docker://HOST/NAME`.',
    });
  }
  const { data } = location;
  if (!(await embeddedStoreExists(data))) throw noStore(data);
  const store = await openEmbeddedStore(data, { ...storeOptions(settings), alone: true });
  const { checkStore } = await import('../../storage/check/check-store.ts');
  const { partsOf } = await import('./checked-images.ts');
  const only = images.length > 0 ? await partsOf(store, images) : undefined;
  const found = await checkStore(store, { ...options, ...(only && { only }), ...callOptions(settings) });
  const check = only ? { ...found, findings: found.findings.filter(only.isMeant) } : found;
  const { blobs, bytes, isMore } = check;
  const mended = repair
    ? await repaired(store, check, { options, settings, only })
    : { mended: [], faults: check.findings };
  if (repair && !only && !isMore) {
    await noteMended(store.objects, { findings: mended.faults.length, images: incompleteOf(mended.faults).length });
  }
  const { hintOf } = await import('./repair-store.ts');
  return {
    data,
    blobs,
    bytes,
    mended: mended.mended,
    faults: mended.faults.map((fault) => ({ hint: hintOf(fault, repair), ...fault })),
    incomplete: incompleteOf(mended.faults),
    unmarked: await unmarkedIn(store, data),
    isMore,
  };
}

function incompleteOf(findings: readonly StoreFault[]): readonly string[] {
  return incompleteImages({ findings });
}

interface Repairing {
  readonly options: CheckRegistryOptions;
  readonly settings: Settings;
  readonly only: CheckedParts | undefined;
}

async function repaired(store: EmbeddedStore, check: StoreCheck, { options, settings, only }: Repairing) {
  const [{ repairStore }, { imageHosts }] = await Promise.all([
    import('./repair-store.ts'),
    import('./registry-clients.ts'),
  ]);
  await using hosts = await imageHosts(undefined, settings);
  const { betweenMs, onEvent } = options;
  return await repairStore(check, {
    store,
    hosts: async () => hosts,
    ...callOptions(settings),
    ...(only && { only }),
    ...(betweenMs !== undefined && { betweenMs }),
    ...(onEvent && { onEvent }),
  });
}

/** Another opening of the store knows only what is written. */
async function unmarkedIn(store: EmbeddedStore, data: string): Promise<number> {
  const known = await store.blobs.damaged();
  if (known.size === 0) return 0;
  const written = await (await openEmbeddedStore(data)).blobs.damaged();
  return [...known].filter((digest) => !written.has(digest)).length;
}
