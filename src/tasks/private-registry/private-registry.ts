// Opens the private registry: the embedded store in process, or any other over HTTP (then, and only then, the client is loaded).
import type { Descriptor } from '../../oci/descriptor.ts';
import { ImagesError } from '../../oci/errors.ts';
import {
  DEFAULT_HOST,
  DEFAULT_TAG,
  formatReference,
  isRepositoryPath,
  type Reference,
  tagOrDigest,
} from '../../oci/reference.ts';
import type { Registry, StatOptions } from '../../registry/contract.ts';
import { namedWithHost, spellings } from '../../registry/policies/name-lookup.ts';
import { type EmbeddedStore, embeddedStoreExists, openEmbeddedStore } from '../../storage/embedded-store.ts';
import type { ImageSink } from '../../transports/contract.ts';
import type { MountSources } from '../../transports/mount-sources.ts';
import { callOptions, type Settings, storeOptions, type TaskCall, type TaskEvents, type World } from '../settings.ts';
import type { RegistryAddress } from './local-registry.ts';
import { addressOf, locateRegistry, noRegistry, type RegistryLocation } from './locate-registry.ts';
import { defaultDataDirectory, refuseForeignDefault } from './registry-state.ts';

export interface PrivateRegistry {
  /** For messages. */
  readonly label: string;
  /** Where it answers; absent for a store that nobody serves. */
  readonly address?: RegistryAddress;
  /** As VMs see it: stripped names; hosts as the contract's `host`. */
  readonly registry: Registry;
  /** Where it is the embedded one, in process. */
  readonly store?: EmbeddedStore;
  /** Where it is another one: what is known of its blobs. */
  readonly mountSources?: MountSources;
}

export interface OpenOptions {
  /** Makes the embedded store where there is no private registry at all. */
  readonly create?: boolean;
}

/**
 * Opens the registry that VMs pull from: the embedded one, in process, or the one that the settings name, over HTTP.
 * Errors: NO_REGISTRY (none at all, or no store in the directory that was named), CONFIG_INVALID ($LOCAL_REGISTRY), NO_ACCESS.
 */
export async function openPrivateRegistry(settings: Settings, options: OpenOptions = {}): Promise<PrivateRegistry> {
  const location = await locateRegistry(settings);
  if (location?.kind === 'remote') return await openRemote(location.address, settings);
  if (location) {
    if (!options.create && !location.state && !(await embeddedStoreExists(location.data))) throw noStore(location.data);
    return await openEmbedded(location, settings);
  }
  if (!options.create) throw noRegistry(settings);
  const data = defaultDataDirectory(settings);
  refuseForeignDefault(settings);
  settings.onNote?.(`No private registry runs: images are kept in ${data}; \`images lreg_start\` serves them.`);
  return await openEmbedded({ kind: 'embedded', data }, settings);
}

/** A directory that was named and holds nothing: perhaps not the one that was meant. */
function noStore(data: string): ImagesError {
  return new ImagesError('NO_REGISTRY', `no images are kept there [${data}]`, {
    hint: `Check the directory, or run \`images lreg_start --data=${data}\`.`,
  });
}

export interface FoundPrivateImage {
  /** What the registry calls it. */
  readonly repository: string;
  readonly descriptor: Descriptor;
}

/**
 * What the private registry has under a name: a name with a host counts if that full name is recorded, or if its stripped name is there
 * and no host is recorded for it. `alpine` is `library/alpine`. With `whole`, only
 * what is not known to be damaged.
 */
export async function findImage(
  reference: Reference,
  privateRegistry: PrivateRegistry,
  settings: TaskCall,
  { whole = false }: Pick<StatOptions, 'whole'> = {},
): Promise<FoundPrivateImage | undefined> {
  const { registry, store } = privateRegistry;
  const wanted = tagOrDigest(reference);
  for (const { host, ...name } of [reference, ...withoutOwnHost(reference, privateRegistry)]) {
    const options = { ...callOptions(settings), whole, ...(host && { host }) };
    const spelled = { ...name, ...(host && { host }) };
    for (const path of store ? [name.path] : [...strippedNames(spelled), ...fullNames(spelled)]) {
      const descriptor = await registry.statManifest(path, wanted, options);
      if (descriptor) return { repository: path, descriptor };
    }
  }
  return undefined;
}

/** `localhost:5000/x` is `x` in the registry that listens there; nothing for names of other hosts. */
export function withoutOwnHost({ host, ...name }: Reference, { address }: PrivateRegistry): readonly Reference[] {
  const own =
    host !== undefined && address !== undefined && host.replace(/^localhost(?=:|$)/, '127.0.0.1') === address.host;
  return own ? [name] : [];
}

export function notLoaded(reference: Reference): ImagesError {
  return new ImagesError('MANIFEST_UNKNOWN', `not in the private registry [${formatReference(reference)}]`, {
    hint: '`images lreg_ls --hosts` shows what is there.',
  });
}

export interface PrivateSinkOptions {
  /** Images keep their hosts: `quay.io/x/y` is a repository. */
  readonly includeHost?: boolean;
}

/**
 * Images go in under their path, the host stripped unless it is wanted; the embedded registry records the full name beside it.
 * Errors of what is put: UNSUPPORTED for a host that cannot be part of a repository's name.
 */
export async function privateSink(
  { label, registry, store, mountSources }: PrivateRegistry,
  { includeHost = false }: PrivateSinkOptions = {},
): Promise<ImageSink> {
  const { registrySink } = await import('../../transports/registry-sink.ts');
  return registrySink(registry, {
    label,
    repository: (name) => (includeHost ? withHost(name) : name.path),
    indexes: store ? 'sparse' : 'complete',
    ...(mountSources && { mountSources }),
    ...(store && {
      onCommit: async (name, root) => {
        const tag = name.tag ?? (name.digest ? undefined : DEFAULT_TAG);
        if (name.host && tag) await store.names.set(name.host, name.path, tag, root.digest);
      },
    }),
  });
}

function withHost({ host, path }: Reference): string {
  if (host === undefined) return path;
  if (isRepositoryPath(`${host}/${path}`)) return `${host}/${path}`;
  throw new ImagesError('UNSUPPORTED', `the host cannot be part of a repository's name [${host}]`, {
    hint: 'Leave out --include-host: the full name is recorded all the same.',
  });
}

async function openEmbedded(
  { data, state }: Extract<RegistryLocation, { kind: 'embedded' }>,
  settings: TaskEvents,
): Promise<PrivateRegistry> {
  const store = await openEmbeddedStore(data, storeOptions(settings));
  const [listening] = state?.addresses ?? [];
  return {
    label: data,
    registry: store.registry,
    store,
    ...(listening && { address: addressOf(listening) }),
  };
}

async function openRemote(address: RegistryAddress, settings: World & TaskEvents): Promise<PrivateRegistry> {
  const { privateRegistryClient, mountSourcesOf } = await import('./registry-clients.ts');
  const { host } = address;
  return {
    label: host,
    address,
    registry: await privateRegistryClient(address, settings),
    mountSources: mountSourcesOf(host, settings),
  };
}

/** The names under which a registry may have it: `alpine` and `library/alpine` are one. */
export function strippedNames({ host, path }: Reference): readonly string[] {
  return host === undefined || host === DEFAULT_HOST ? spellings(path) : [path];
}

/** The names that an upload with its host gave it. */
export function fullNames({ host, path }: Reference): readonly string[] {
  return host === undefined ? [] : namedWithHost(path, host);
}
