// Opens the private registry: the embedded store in process, or any other over HTTP. The HTTP client is loaded only for the latter.
import { checkArguments } from '../../oci/arguments.ts';
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
import { type EmbeddedStore, embeddedStoreExists } from '../../storage/embedded-store.ts';
import type { ImageSink } from '../../transports/contract.ts';
import type { MountSources } from '../../transports/mount-sources.ts';
import { CALL, OPTIONS, REFERENCE, REGISTRY, SETTINGS } from '../arguments.ts';
import { callOptions, type Settings, type TaskCall, type TaskEvents, type World } from '../settings.ts';
import type { RegistryAddress } from './local-registry.ts';
import { addressOf, locateRegistry, noRegistry, type RegistryLocation } from './locate-registry.ts';
import { openRuledStore } from './open-store.ts';
import { defaultDataDirectory, refuseForeignDefault } from './registry-state.ts';

export interface PrivateRegistry {
  /** The registry's name in messages. */
  readonly label: string;
  /** The registry's address; absent for a store that is not served. */
  readonly address?: RegistryAddress;
  /** The registry as VMs see it, with stripped names. Hosts are given by the contract's `host`. */
  readonly registry: Registry;
  /** The store, if the registry is the embedded one, in process. */
  readonly store?: EmbeddedStore;
  /** For a registry over HTTP: the known repositories of its blobs. */
  readonly mountSources?: MountSources;
}

export interface OpenOptions {
  /** Creates the embedded store if there is no private registry at all. */
  readonly create?: boolean;
  /** Nothing else happens in this process meanwhile: the embedded store may be read without the thread pool. */
  readonly alone?: boolean;
}

/**
 * Opens the registry that VMs pull from: the embedded one, in process, or the one that the settings name, over HTTP. Errors: NO_REGISTRY (there is none, or no
 * store in the named directory), CONFIG_INVALID ($LOCAL_REGISTRY), NO_ACCESS.
 */
export async function openPrivateRegistry(settings: Settings, options: OpenOptions = {}): Promise<PrivateRegistry> {
  checkArguments({ settings: [settings, SETTINGS], options: [options, OPTIONS] });
  const location = await locateRegistry(settings);
  if (location?.kind === 'remote') return await openRemote(location.address, settings);
  if (location) {
    if (!options.create && !location.state && !(await embeddedStoreExists(location.data))) throw noStore(location.data);
    return await openEmbedded(location, settings, options);
  }
  if (!options.create) throw noRegistry(settings);
  const data = defaultDataDirectory(settings);
  refuseForeignDefault(settings);
  settings.onNote?.(`No private registry runs: images are kept in ${data}; \`images lreg_start\` serves them.`);
  return await openEmbedded({ kind: 'embedded', data }, settings);
}

/** The error for a named directory without a store. The user may have meant another one. */
export function noStore(data: string): ImagesError {
  return new ImagesError('NO_REGISTRY', `there is no store [${data}]`, {
    hint: `Check the directory, or run \`images lreg_start --data=${data}\`.`,
  });
}

export interface FoundPrivateImage {
  /** The name of the repository in the registry. */
  readonly repository: string;
  readonly descriptor: Descriptor;
}

/**
 * Looks up an image in the private registry. A name with a host matches if that full name is recorded, or if the stripped name exists and no host is recorded
 * for it. `alpine` is `library/alpine`. With `whole`, images that are known to be damaged do not match.
 */
export async function findImage(
  reference: Reference,
  privateRegistry: PrivateRegistry,
  settings: TaskCall,
  options: Pick<StatOptions, 'whole'> = {},
): Promise<FoundPrivateImage | undefined> {
  checkArguments({
    reference: [reference, REFERENCE],
    privateRegistry: [privateRegistry, REGISTRY],
    settings: [settings, CALL],
    options: [options, OPTIONS],
  });
  const { whole = false } = options;
  const { registry, store } = privateRegistry;
  const wanted = tagOrDigest(reference);
  for (const { host, ...name } of [reference, ...withoutOwnHost(reference, privateRegistry)]) {
    const asking = { ...callOptions(settings), whole, ...(host && { host }) };
    const spelled = { ...name, ...(host && { host }) };
    for (const path of store ? [name.path] : [...strippedNames(spelled), ...fullNames(spelled)]) {
      const descriptor = await registry.statManifest(path, wanted, asking);
      if (descriptor) return { repository: path, descriptor };
    }
  }
  return undefined;
}

/** The name without the host, if the host is the private registry's own address (`localhost:5000/x` → `x`); else empty. */
export function withoutOwnHost({ host, ...name }: Reference, { address }: PrivateRegistry): readonly Reference[] {
  const own =
    host !== undefined && address !== undefined && host.replace(/^localhost(?=:|$)/, '127.0.0.1') === address.host;
  return own ? [name] : [];
}

/** The error for an image that the private registry does not have: MANIFEST_UNKNOWN. */
export function notLoaded(reference: Reference): ImagesError {
  return new ImagesError('MANIFEST_UNKNOWN', `not in the private registry [${formatReference(reference)}]`, {
    hint: '`images lreg_ls --hosts` shows what is there.',
  });
}

export interface PrivateSinkOptions {
  /** Keeps hosts in repository names: `quay.io/x/y`. */
  readonly includeHost?: boolean;
}

/**
 * A sink that puts images under their path, without the host unless `includeHost`. The embedded registry also records the full name. Errors while putting:
 * UNSUPPORTED for a host that cannot be part of a repository name.
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
  settings: Pick<World, 'config' | 'uid'> & TaskEvents,
  { alone = false }: OpenOptions = {},
): Promise<PrivateRegistry> {
  const store = await openRuledStore(data, settings, { alone });
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

/** The possible stripped names of an image: `alpine` and `library/alpine` are the same. */
export function strippedNames({ host, path }: Reference): readonly string[] {
  return host === undefined || host === DEFAULT_HOST ? spellings(path) : [path];
}

/** The names that an upload with `includeHost` gives to an image. */
export function fullNames({ host, path }: Reference): readonly string[] {
  return host === undefined ? [] : namedWithHost(path, host);
}
