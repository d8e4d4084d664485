// The store of a registry that runs: what clients of the server get of it, and what is kept in order beside them.
import { randomUUID } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { requireAsking } from '../../access/current-asker.ts';
import { type MayDo, permitted } from '../../access/permitted.ts';
import { permittedNames } from '../../access/permitted-names.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import { WELL_KNOWN_HOSTS } from '../../nodes/well-known-hosts.ts';
import type { OnHousekeeping } from '../../observe/housekeeping.ts';
import { canonicalHost } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import { readOnly } from '../../registry/policies/read-only.ts';
import { type Miss, tellingMisses } from '../../registry/policies/telling-misses.ts';
import type { Fetching } from '../../server/call.ts';
import type { DiskStoreOptions } from '../../storage/drivers/staged-store.ts';
import { type EmbeddedStore, embeddedStoreExists } from '../../storage/embedded-store.ts';
import { type MissCounts, missCounts } from '../../storage/repositories/missed-images.ts';
import { type PullCounts, pullCounts } from '../../storage/repositories/pull-records.ts';
import { tellingPulls } from '../../storage/repositories/telling-pulls.ts';
import type { TaskEvents, World } from '../settings.ts';
import { type Activity, keepHouse } from './housekeeping.ts';
import { keepRecords } from './keep-records.ts';
import { addressOf } from './locate-registry.ts';
import { openRuledStore } from './open-store.ts';
import type { RegistryState } from './registry-record.ts';
import { isAnnounced } from './registry-state.ts';
import { permissions } from './serving-access.ts';
import { stillThere } from './serving-health.ts';
import { type ServingProxy, type ServingProxyOptions, servingProxy } from './serving-proxy.ts';
import type { ServingRules } from './serving-rules.ts';

export interface ServedStore {
  /** What clients of the server get. */
  readonly registry: Registry;
  readonly store: EmbeddedStore;
  /** On a file system that cannot be written to: nothing is pushed, recorded, collected or checked. */
  readonly isReadOnly: boolean;
  readonly pulls: PullCounts;
  /** Who may do what with `registry`. */
  readonly mayDo: MayDo;
  /** Fetches what is missing, as long as the rules say from where. */
  readonly proxy?: ServingProxy;
  readonly fetching?: Fetching;
  readonly misses?: MissCounts;
}

export interface Announced {
  /** The record in the store's directory, once it has been written. */
  readonly announced: () => RegistryState | undefined;
}

/** As those of `ServeRequest`. */
type Listeners = Partial<Pick<ServingProxyOptions, 'onNotice' | 'onProxy' | 'onReceived' | 'counts'>> &
  Pick<DiskStoreOptions, 'smallFileCounts'>;

export async function openServedStore(
  data: string,
  rules: Pick<ServingRules, 'config' | 'access' | 'proxy'>,
  {
    announced,
    onNotice,
    onProxy,
    onReceived,
    counts,
    smallFileCounts,
    ...settings
  }: World & TaskEvents & Announced & Listeners,
): Promise<ServedStore> {
  const isReadOnly = await isReadOnlyStore(data);
  const pulls = pullCounts();
  const mayDo = permissions(() => rules.access);
  const policy = (repositories: Registry) => permitted(tellingPulls(repositories, pulls.count), mayDo);
  const store = await openRuledStore(data, settings, {
    policy,
    namesPolicy: (names) => permittedNames(names, mayDo),
    rules: async () => rules.config,
    ...(smallFileCounts && { smallFileCounts }),
    ...(!isReadOnly && { check: stillThere(data, announced) }),
  });
  const proxy = servingProxy(store, { rules, mayDo, announced, onNotice, onProxy, onReceived, counts }, settings);
  const names = {
    meantBy: proxy.meantBy,
    hostOf: wellKnownHost,
    namedBy: (name: string) => wellKnown(name.replace(/:443$/, '')) ?? proxy.namedBy(name),
  };
  if (isReadOnly) {
    const fetching = { ...names, prepare: proxy.prepare };
    return { registry: readOnly(proxy.registry), store, isReadOnly, pulls, mayDo, proxy, fetching };
  }
  const misses = missCounts();
  const { registry, prepare } = tellingMisses(proxy.registry, toldOf(misses), proxy.prepare);
  const fetching = { ...names, ...(prepare && { prepare }) };
  return { registry, store, isReadOnly, pulls, mayDo, proxy, fetching, misses };
}

/** What the asker may not see is not missing. */
function toldOf(misses: MissCounts): (miss: Miss) => void {
  return (miss) => {
    const { asker, refused } = requireAsking();
    if (!refused) misses.count({ ...miss, asker: asker.address });
  };
}

/** Nodes are told that the registry is one of these. */
function wellKnownHost(name: string): string | undefined {
  return wellKnown(name.replace(/:(?:80|443)$/, ''));
}

function wellKnown(name: string): string | undefined {
  const host = canonicalHost(name);
  return WELL_KNOWN_HOSTS.includes(host) ? host : undefined;
}

/** Whether the directory holds a store on a file system that nobody can write to, such as a DVD. */
async function isReadOnlyStore(data: string): Promise<boolean> {
  if (!(await embeddedStoreExists(data))) return false;
  try {
    // Removes nothing, and needs no permission: where the registry cannot start, no store is left behind, and who may not write there is told so later.
    await unlink(join(data, `.images-${randomUUID()}`));
    return false;
  } catch (error) {
    return isFsError(error, 'EROFS');
  }
}

/** How often garbage is collected and the store is checked: never where nothing can be written. */
export function schedules(
  { isReadOnly }: ServedStore,
  { gc, scrub }: ServingRules,
): Pick<ServingRules, 'gc' | 'scrub'> {
  return isReadOnly ? { gc: 'off', scrub: 'off' } : { gc, scrub };
}

export interface KeepStore {
  readonly state: RegistryState;
  readonly rules: ServingRules;
  readonly activity: Activity;
  readonly onHousekeeping: OnHousekeeping | undefined;
}

/** Records pulls and space, collects garbage and checks the store until it is ended, which waits for the step that is under way. */
export function keepStore(
  served: ServedStore,
  { state, rules, activity, onHousekeeping }: KeepStore,
  settings: World & TaskEvents,
): { end(): Promise<void> } {
  const { store, isReadOnly, pulls } = served;
  const isThere = () => isAnnounced(state);
  const records = isReadOnly
    ? undefined
    : keepRecords(store, {
        pulls,
        ...(served.misses && { misses: served.misses }),
        isThere,
        onFailure: (error) => settings.onNote?.(notRecorded(error)),
      });
  const house = keepHouse({
    store,
    isThere,
    activity,
    get gc() {
      return schedules(served, rules).gc;
    },
    get scrub() {
      return schedules(served, rules).scrub;
    },
    get keep() {
      return rules.config.keep;
    },
    get fetchedMs() {
      return rules.config.proxy?.keep;
    },
    openHosts: async () => {
      const [own] = state.addresses;
      const { imageHosts } = await import('./registry-clients.ts');
      return await imageHosts(own && addressOf(own), settings);
    },
    ...(onHousekeeping && { onEvent: onHousekeeping }),
  });
  return {
    end: async () => {
      await served.proxy?.end();
      await house[Symbol.asyncDispose]();
      await records?.end();
    },
  };
}

function notRecorded(error: unknown): string {
  return `Pulls and the space that is used are not recorded: ${error instanceof Error ? error.message : String(error)}`;
}
