// `lreg_status`: whether the embedded registry runs, its addresses, and what its store contains.
import { checkArguments } from '../../oci/arguments.ts';
import { type LastCheck, readLastCheck } from '../../storage/check/check-record.ts';
import { diskStore } from '../../storage/drivers/staged-store.ts';
import { embeddedStoreExists, openEmbeddedStore } from '../../storage/embedded-store.ts';
import { listFetchedTags } from '../../storage/repositories/fetched-tags.ts';
import { lastCollected } from '../../storage/repositories/last-collection.ts';
import { willBeCollectedUnasked } from '../../storage/repositories/store-format.ts';
import { SETTINGS } from '../arguments.ts';
import type { Settings, TaskCall } from '../settings.ts';
import type { AskedCheck, AskedHealth } from './ask-health.ts';
import { COLLECT_EVERY_MS } from './housekeeping.ts';
import { listRegistry } from './list-registry.ts';
import { namedAddress, nearestAddress } from './locate-registry.ts';
import { namedConfig } from './named-config.ts';
import { openRuledStore } from './open-store.ts';
import { readRegistryToml } from './registry-config.ts';
import type { RegistryState } from './registry-record.ts';
import { dataDirectory, runningRegistry } from './registry-state.ts';
import { nextScrub } from './scrub.ts';
import { addressForVms } from './vm-address.ts';

export interface RegistryStatus {
  /** Absent if it does not run. */
  readonly running?: RegistryState;
  /** Whether traffic should come to it, if it runs: `ok`, or the problem. */
  readonly health?: string;
  /** Each of the checks behind that. */
  readonly healthChecks?: readonly AskedCheck[];
  /** The address for VMs; absent if VMs cannot reach it. */
  readonly vms?: { readonly ip: string; readonly port: number };
  readonly data: string;
  readonly repositories: number;
  readonly tags: number;
  readonly blobs: number;
  /** Total size of all blobs and manifests, in bytes. */
  readonly size: number;
  /** How many tags the proxy has fetched, which nobody has pushed or cached since; absent if there are none. */
  readonly fetched?: number;
  /** Blobs that are known to be damaged: they are not served. */
  readonly damaged: number;
  /** The last check of all blobs and links, by `lreg_check` or by the registry itself; absent if there was none. */
  readonly checked?: CheckedStore;
  /** When the running registry will next check them, at the earliest; absent if it does not. */
  readonly checks?: string;
  /** When garbage was last collected, in ISO 8601; absent if it never was. */
  readonly collected?: string;
  /** When the running registry will next collect, at the earliest; absent if it does not. */
  readonly collects?: string;
  /** In bytes, if the configuration has one. What is used includes unfinished uploads. */
  readonly quota?: { readonly limit: number; readonly used: number };
}

export interface CheckedStore extends Omit<LastCheck, 'since' | 'finished'> {
  /** In ISO 8601, as `finished`. */
  readonly since: string;
  readonly finished: string;
}

/** Whether the embedded registry runs, its addresses, and what its store contains. */
export async function registryStatus(settings: Settings): Promise<RegistryStatus> {
  checkArguments({ settings: [settings, SETTINGS] });
  const data = dataDirectory(settings);
  const running = runningRegistry(data, settings);
  const vms = running && (await addressForVms(running.addresses, settings));
  const health = running && (await healthOf(running, settings));
  const isThere = await embeddedStoreExists(data);
  const held = isThere ? await contents(data, settings) : NOTHING;
  const garbage = isThere ? await collections(data, running) : {};
  const whole = isThere ? await checks(data, running) : {};
  return {
    ...(running && { running }),
    ...(health && { health: health.said, ...(health.checks && { healthChecks: health.checks }) }),
    ...(vms && { vms }),
    data,
    ...held,
    ...garbage,
    ...whole,
  };
}

async function healthOf(running: RegistryState, settings: TaskCall): Promise<AskedHealth | undefined> {
  const { askHealth } = await import('./ask-health.ts');
  const listening = nearestAddress(running);
  return listening && askHealth(namedAddress(listening), settings);
}

async function collections(
  data: string,
  running: RegistryState | undefined,
): Promise<Pick<RegistryStatus, 'collected' | 'collects'>> {
  const { objects, registry } = await openEmbeddedStore(data);
  const last = await lastCollected(objects);
  const isScheduled = running?.gc === 'daily' && (await willBeCollectedUnasked(objects, registry.repositories()));
  const next = new Date(last ? last.getTime() + COLLECT_EVERY_MS : Date.now());
  return { ...(last && { collected: last.toISOString() }), ...(isScheduled && { collects: next.toISOString() }) };
}

async function checks(
  data: string,
  running: RegistryState | undefined,
): Promise<Pick<RegistryStatus, 'checked' | 'checks'>> {
  const last = await readLastCheck(diskStore(data).objects);
  const checked = last && { ...last, since: last.since.toISOString(), finished: last.finished.toISOString() };
  return {
    ...(checked && { checked }),
    ...(running?.scrub === 'weekly' && { checks: nextScrub(last).toISOString() }),
  };
}

type Contents = Pick<RegistryStatus, 'repositories' | 'tags' | 'blobs' | 'size' | 'damaged' | 'quota' | 'fetched'>;

const NOTHING: Contents = { repositories: 0, tags: 0, blobs: 0, size: 0, damaged: 0 };

async function contents(data: string, settings: Settings): Promise<Contents> {
  const store = await openRuledStore(data, settings);
  const repositories = await listRegistry({ label: data, registry: store.registry, store }, settings);
  let blobs = 0;
  let size = 0;
  for await (const blob of store.blobs.all()) {
    blobs++;
    size += blob.size;
  }
  const tags = repositories.reduce((sum, repository) => sum + repository.tags.length, 0);
  const { quota: limit } = await readRegistryToml(data, namedConfig(data, settings));
  const quota = limit === undefined || !store.space ? {} : { quota: { limit, used: await store.space.used() } };
  const { size: damaged } = await store.blobs.damaged();
  let fetched = 0;
  for await (const _ of listFetchedTags(store)) fetched++;
  return {
    ...(fetched > 0 && { fetched }),
    repositories: repositories.length,
    tags,
    blobs,
    size,
    damaged,
    ...quota,
  };
}
