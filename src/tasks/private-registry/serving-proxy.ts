// What a registry that serves does to fetch what is missing: with the credentials, mirrors and proxies of its user, within what the asker may pull.
import { randomUUID } from 'node:crypto';
import { requireAsking } from '../../access/current-asker.ts';
import type { MayDo } from '../../access/permitted.ts';
import type { AccessRule } from '../../access/rules.ts';
import type { ProxyCounts } from '../../observe/metrics/proxy-metrics.ts';
import type { OnNotice, ProxyEvent } from '../../observe/observation.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { canonicalHost } from '../../oci/reference.ts';
import { matchesImage } from '../../registry/policies/image-glob.ts';
import type { PullThroughEvent } from '../../registry/pull-through/contract.ts';
import { type PullThrough, pullThrough } from '../../registry/pull-through/pull-through.ts';
import { upstreamText } from '../../registry/pull-through/upstream-name.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { fetchedTags } from '../../storage/repositories/fetched-tags.ts';
import { pendingManifests } from '../../storage/repositories/pending-manifests.ts';
import type { TaskEvents, World } from '../settings.ts';
import type { AccessConfig } from './access-config.ts';
import { inOneLine } from './in-one-line.ts';
import { addressOf } from './locate-registry.ts';
import type { ServedProxy } from './proxy-config.ts';
import type { RegistryConfig } from './registry-config.ts';
import type { RegistryState } from './registry-record.ts';
import { renewedHosts } from './renewed-hosts.ts';
import { rulesOf } from './serving-access.ts';

export interface ServingProxy extends PullThrough {
  /** The host that clients mean who ask for this name; its own names mean the registry itself. */
  meantBy(name: string): string | undefined;
  /** The host that `ns` names: the port of https says nothing, unless a host was named with it. */
  namedBy(name: string): string;
  /** Makes ready to ask, if something is to be fetched, so that the first pull need not wait for that. */
  warmUp(): void;
  /** Ends what is being fetched; what has come is kept. */
  end(): Promise<void>;
}

export interface ServingProxyOptions {
  readonly rules: {
    readonly access: AccessConfig;
    readonly config: RegistryConfig;
    readonly proxy: ServedProxy | undefined;
  };
  readonly mayDo: MayDo;
  readonly announced: () => RegistryState | undefined;
  readonly onNotice?: OnNotice | undefined;
  readonly onProxy?: ((event: ProxyEvent) => void) | undefined;
  /** As for serveRegistry. */
  readonly onReceived?: ((bytes: number) => void) | undefined;
  /** What is counted beside the events. */
  readonly counts?: ProxyCounts | undefined;
}

/** Milliseconds between two notices of the same host. */
const NOTICE_MS = 60_000;
const MOST_HOSTS = 1000;

export function servingProxy(
  store: EmbeddedStore,
  { rules, mayDo, announced, onNotice, onProxy, onReceived, counts }: ServingProxyOptions,
  settings: World & TaskEvents,
): ServingProxy {
  const ending = new AbortController();
  const hosts = renewedHosts(async () => {
    const { imageHosts } = await import('./registry-clients.ts');
    const [own] = announced()?.addresses ?? [];
    return await imageHosts(own && addressOf(own), settings, { isStrange: (host) => !rules.proxy?.names(host) });
  });
  const notice = notices(onNotice);
  const { stripped, names, objects, blobs } = store;
  const stored = {
    stripped,
    names,
    fetched: fetchedTags(objects, names),
    pending: pendingManifests(objects),
    hasBlob: async (digest: Digest) => (await blobs.find(digest)) !== undefined,
  };
  const through = pullThrough(store.registry, stored, {
    rules: () => rules.proxy,
    upstream: (name) => {
      counts?.asked(name.host);
      return hosts.registryOf(name);
    },
    onBlobServed: (isHit) => counts?.served(isHit),
    mayPull: (path) => {
      const { asker, isServer = false } = requireAsking();
      return isServer || mayDo(asker, 'pull', path);
    },
    asker: () => requireAsking().asker.address,
    isShared: () => rulesOf(rules.access).rules.some(isForAll),
    isFixed: (path, tag) => rules.config.immutable.some((glob) => matchesImage(glob, path, tag)),
    id: randomUUID(),
    signal: ending.signal,
    onEvent: (event) => {
      if (event.type === 'trouble' && isOfConfiguration(event.error)) hosts.doubt();
      notice(event);
      onProxy?.(proxyEvent(event));
    },
    ...(onReceived && { onReceived }),
  });
  return {
    ...through,
    meantBy: (name) => {
      const host = canonicalHost(name.replace(/:(?:80|443)$/, ''));
      return rules.proxy?.names(host) ? host : undefined;
    },
    namedBy: (name) => {
      const host = canonicalHost(name);
      const bare = canonicalHost(name.replace(/:443$/, ''));
      return !rules.proxy?.names(host) && rules.proxy?.has(bare) ? bare : host;
    },
    warmUp: () => {
      if (rules.proxy && !rules.proxy.isOffline) hosts.warmUp();
    },
    end: async () => {
      ending.abort(new Error('the registry ends'));
      await through.ended();
      await hosts[Symbol.asyncDispose]();
    },
  };
}

/** Everybody pulls everything. */
function isForAll({ repositories, users, from, allow }: AccessRule): boolean {
  return repositories === '**' && users === undefined && from === undefined && allow.includes('pull');
}

/** Whether a login, or another file, would mend it. */
function isOfConfiguration(error: unknown): boolean {
  return isImagesError(error, 'DENIED', 'UNAUTHORIZED', 'CONFIG_INVALID', 'FILE_UNREADABLE');
}

/** The operator gets what clients do not. */
function whyItFailed(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}

function proxyEvent({ name, ...event }: PullThroughEvent): ProxyEvent {
  const from = { host: name.host, repository: name.path };
  switch (event.type) {
    case 'fetching':
      return { ...event, ...from, type: 'proxy-fetching' };
    case 'fetched':
      return { ...event, ...from, type: 'proxy-fetched' };
    case 'stored':
      return { ...event, ...from, type: 'proxy-stored' };
    case 'trouble':
      return { ...from, type: 'proxy-failed', error: whyItFailed(event.error) };
  }
}

function notices(onNotice: ServingProxyOptions['onNotice']): (event: PullThroughEvent) => void {
  const last = new Map<string, number>();
  return (event) => {
    if (event.type !== 'trouble') return;
    const { host } = event.name;
    const now = performance.now();
    if (now - (last.get(host) ?? Number.NEGATIVE_INFINITY) < NOTICE_MS) return;
    if (last.size >= MOST_HOSTS) last.clear();
    last.set(host, now);
    onNotice?.(`fetching ${upstreamText(event.name)}: ${inOneLine(whyItFailed(event.error))}`, 'warn');
  };
}
