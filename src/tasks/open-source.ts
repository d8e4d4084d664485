// The place that a user names, opened as a source of one image. What a place needs is loaded when it is named.
import type { OnCopyEvent } from '../copy/events.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import { formatReference, fullReference, type Reference, tryParseReference } from '../oci/reference.ts';
import type { IndexStore } from '../rootfs/contract.ts';
import { embeddedStoreExists, openEmbeddedStore } from '../storage/embedded-store.ts';
import { storedIndex } from '../storage/layer-indexes.ts';
import type { ImageSource } from '../transports/contract.ts';
import { formatLocation, type Location, parseLocation } from '../transports/location.ts';
import { registrySource } from '../transports/registry-source.ts';
import { locateRegistry, privateAddress } from './locate-registry.ts';
import { findImage, openPrivateRegistry, type PrivateRegistry } from './private-registry.ts';
import { dataDirectory } from './registry-state.ts';
import { callOptions, type Settings } from './settings.ts';

/** Where a bare name is looked for: the store, the daemon, the private registry; or the daemon before the store. */
export type SourceOrder = 'store' | 'daemon';

export interface OpenSourceOptions {
  readonly order?: SourceOrder;
  readonly onEvent?: OnCopyEvent;
}

/** Disposing closes the source and what it stands on. */
export interface OpenedSource extends AsyncDisposable {
  readonly source: ImageSource;
  /** The image's own name, where its place has one for it. */
  readonly name?: Reference;
  /** Where indexes of its layers are kept. */
  readonly indexOf?: (digest: Digest) => IndexStore;
}

/** Errors: REFERENCE_INVALID, MANIFEST_UNKNOWN (a bare name that is nowhere), those of the place. */
export async function openSource(
  text: string,
  settings: Settings,
  options: OpenSourceOptions = {},
): Promise<OpenedSource> {
  const location = parseLocation(text);
  switch (location.transport) {
    case 'docker':
      return await openRemote(location.reference, settings, options);
    case 'name':
    case 'id':
      return await openBare(location, settings, options);
    default:
      return await openPlace(location, settings);
  }
}

async function openRemote(
  reference: Reference,
  settings: Settings,
  { onEvent }: OpenSourceOptions,
): Promise<OpenedSource> {
  const { anyHosts } = await import('./registry-clients.ts');
  const name = fullReference(reference);
  const hosts = await anyHosts(await privateAddress(settings), settings, onEvent);
  const source = registrySource(hosts.forHost(name.host), name);
  return { source, name, [Symbol.asyncDispose]: () => hosts[Symbol.asyncDispose]() };
}

type BareLocation = Extract<Location, { transport: 'name' | 'id' }>;

async function openBare(
  location: BareLocation,
  settings: Settings,
  { order = 'store' }: OpenSourceOptions,
): Promise<OpenedSource> {
  const looks = [fromStore, fromDaemon, fromPrivateRegistry];
  if (order === 'daemon') looks.splice(0, 2, fromDaemon, fromStore);
  for (const look of looks) {
    const found = await look(location, settings);
    if (found) return found;
  }
  const text = formatLocation(location);
  throw new ImagesError('MANIFEST_UNKNOWN', `no such image [${text}]`, {
    hint:
      location.transport === 'name'
        ? `It is in neither the local store, a Docker daemon nor the private registry: \`images lreg_cache ${text}\` fetches it, docker://${text} asks its own registry.`
        : 'Only a Docker daemon knows images by id.',
  });
}

type Look = (location: BareLocation, settings: Settings) => Promise<OpenedSource | undefined>;

const fromStore: Look = async (location, settings) => {
  const data = dataDirectory(settings);
  if (location.transport !== 'name' || !(await embeddedStoreExists(data))) return undefined;
  const store = await openEmbeddedStore(data);
  return await inRegistry(location.reference, { label: data, registry: store.registry, store }, settings);
};

const fromDaemon: Look = async () => undefined;

/** The store has been looked at already, where that is the private registry. */
const fromPrivateRegistry: Look = async (location, settings) => {
  if (location.transport !== 'name' || (await locateRegistry(settings))?.kind !== 'remote') return undefined;
  return await inRegistry(location.reference, await openPrivateRegistry(settings), settings);
};

async function inRegistry(
  reference: Reference,
  registry: PrivateRegistry,
  settings: Settings,
): Promise<OpenedSource | undefined> {
  const found = await findImage(reference, registry, settings);
  if (!found) return undefined;
  const { store } = registry;
  const { repository, descriptor } = found;
  const source = registrySource(
    registry.registry,
    { path: repository, digest: descriptor.digest },
    { label: formatReference(reference) },
  );
  return {
    source,
    name: reference,
    ...(store && { indexOf: (digest: Digest) => storedIndex(store.objects, digest) }),
    async [Symbol.asyncDispose]() {},
  };
}

type PlaceLocation = Exclude<Location, { transport: 'docker' | 'name' | 'id' }>;

async function openPlace(location: PlaceLocation, settings: Settings): Promise<OpenedSource> {
  switch (location.transport) {
    case 'oci': {
      const { ociSource } = await import('../transports/layout/layout-source.ts');
      return opened(ociSource(location), location.ref);
    }
    case 'oci-archive': {
      const { openOciArchive } = await import('../transports/archive/oci-archive-source.ts');
      return opened(await openOciArchive(location, callOptions(settings)), location.ref);
    }
    case 'dir': {
      const { dirSource } = await import('../transports/dir/dir-source.ts');
      return opened(dirSource(location.path));
    }
    case 'docker-archive': {
      const { openDockerArchiveImage } = await import('../transports/docker-archive/docker-archive-source.ts');
      const { path, reference, index } = location;
      const wanted = { ...(reference && { reference }), ...(index !== undefined && { index }) };
      const source = await openDockerArchiveImage(path, wanted, callOptions(settings));
      return opened(source, reference && formatReference(reference));
    }
    default:
      throw new ImagesError('UNSUPPORTED', `not yet [${formatLocation(location)}]`);
  }
}

/** `name`: what the image is called in its place, where that is a reference. */
function opened(source: ImageSource, name?: string): OpenedSource {
  const reference = name === undefined ? undefined : tryParseReference(name);
  // A bare tag, as layouts have it, names no repository.
  const isName = reference !== undefined && /[:/]/.test(name ?? '');
  return { source, ...(isName && { name: reference }), [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]() };
}
