// A registry in memory that fetches from other registries in memory: what is asked of them is counted, and can be made to fail.
import type { Image } from '../../../../test/contract/content.ts';
import { pushImage } from '../../../../test/contract/content.ts';
import { memoryStore } from '../../../storage/drivers/staged-store.ts';
import { registryStore } from '../../../storage/registry-store.ts';
import { fetchedTags } from '../../../storage/repositories/fetched-tags.ts';
import { pendingManifests } from '../../../storage/repositories/pending-manifests.ts';
import { storedRegistry } from '../../../storage/repositories/stored-registry.ts';
import type { RegistryStore, Store } from '../../../storage/store.ts';
import type { BlobOptions, ImageReader, ReadOptions, Registry } from '../../contract.ts';
import type { ProxyRules, PullThroughEvent, PullThroughOptions } from '../contract.ts';
import { type PullThrough, pullThrough } from '../pull-through.ts';

export interface Upstream {
  readonly registry: Registry;
  /** `GET manifest app:1`, `HEAD blob sha256:…`. */
  readonly asked: string[];
  /** Called before each answer: throws, waits, or gives another one. */
  fault: (what: string, options: ReadOptions | undefined) => Promise<unknown> | undefined;
  push(path: string, image: Image, tags: readonly string[]): Promise<void>;
}

export function upstreamRegistry(): Upstream {
  const registry = storedRegistry(memoryStore());
  const upstream: Upstream = {
    registry,
    asked: [],
    fault: () => undefined,
    push: (path, image, tags) => pushImage(registry, path, image, [...tags]),
  };
  return upstream;
}

function asReader(upstream: Upstream): ImageReader {
  const { registry, asked } = upstream;
  const answer = async <T>(what: string, options: ReadOptions | undefined, work: () => Promise<T>): Promise<T> => {
    asked.push(what);
    return ((await upstream.fault(what, options)) as T | undefined) ?? (await work());
  };
  return {
    getManifest: (path, what, options) =>
      answer(`GET manifest ${path}:${what}`, options, () => registry.getManifest(path, what, options)),
    statManifest: (path, what, options) =>
      answer(`HEAD manifest ${path}:${what}`, options, () => registry.statManifest(path, what, options)),
    getBlob: (path, digest, options: BlobOptions = {}) =>
      answer(`GET blob ${digest} from ${options.from ?? 0}`, options, () => registry.getBlob(path, digest, options)),
    statBlob: (path, digest, options) =>
      answer(`HEAD blob ${digest}`, options, () => registry.statBlob(path, digest, options)),
    referrers: (...args) => registry.referrers(...args),
  };
}

export interface Proxied {
  readonly proxy: PullThrough;
  readonly registry: Registry;
  readonly store: RegistryStore;
  readonly events: readonly PullThroughEvent[];
  /** Milliseconds. */
  clock: number;
  end(): Promise<void>;
}

export interface ProxiedOptions
  extends Partial<Pick<PullThroughOptions, 'mayPull' | 'asker' | 'isShared' | 'isFixed' | 'id'>> {
  readonly hosts: Readonly<Record<string, Upstream | ImageReader>>;
  readonly rules?: Partial<ProxyRules>;
  /** That of an earlier process. */
  readonly store?: Store;
}

export function proxied({ hosts, rules = {}, store: data = memoryStore(), ...options }: ProxiedOptions): Proxied {
  const store = registryStore(data);
  const fetched = fetchedTags(store.objects, store.names);
  const events: PullThroughEvent[] = [];
  const ending = new AbortController();
  const one: { clock: number } = { clock: 1_000_000 };
  const ruled: ProxyRules = {
    has: (host) => host in hosts,
    names: (host) => host in hosts,
    ttl: 60_000,
    isOffline: false,
    ...rules,
  };
  const proxy = pullThrough(
    store.registry,
    {
      stripped: store.stripped,
      names: store.names,
      fetched,
      pending: pendingManifests(store.objects),
      hasBlob: async (digest) => (await store.blobs.find(digest)) !== undefined,
    },
    {
      rules: () => ruled,
      upstream: async ({ host }) => {
        const found = hosts[host];
        if (!found) throw new Error(`asked another host [${host}]`);
        return 'asked' in found ? asReader(found) : found;
      },
      mayPull: () => true,
      asker: () => 'somebody',
      diskRest: 0,
      isShared: () => true,
      isFixed: () => false,
      id: 'me',
      now: () => one.clock,
      signal: ending.signal,
      onEvent: (event) => events.push(event),
      ...options,
    },
  );
  return Object.assign(one, {
    proxy,
    registry: proxy.registry,
    store,
    events,
    end: async () => {
      ending.abort(new Error('the registry ends'));
      await proxy.ended();
    },
  });
}
