// The place that a user names, opened as a source of one image. What a place needs is loaded when it is named.
import type { OnCopyEvent } from '../../copy/events.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { formatReference, fullReference, type Reference, tryParseReference } from '../../oci/reference.ts';
import type { IndexStore } from '../../rootfs/contract.ts';
import { embeddedStoreExists, openEmbeddedStore } from '../../storage/embedded-store.ts';
import { storedIndex } from '../../storage/layer-indexes.ts';
import type { ImageSource } from '../../transports/contract.ts';
import type { LayerSpool } from '../../transports/layer-spool.ts';
import { formatLocation, type Location, parseLocation } from '../../transports/location.ts';
import { readImage } from '../../transports/readable-image.ts';
import { registrySource } from '../../transports/registry-source.ts';
import { ownTransport, type Transport } from '../../transports/transport.ts';
import { locateRegistry, privateAddress } from '../private-registry/locate-registry.ts';
import { findImage, openPrivateRegistry, type PrivateRegistry } from '../private-registry/private-registry.ts';
import { dataDirectoryIfUsable } from '../private-registry/registry-state.ts';
import { callOptions, type Settings, storeOptions, transportOptions } from '../settings.ts';

/** Where a bare name is looked for: the store, the daemon, the private registry; or the daemon before the store. */
export type SourceOrder = 'store' | 'daemon';

export interface OpenSourceOptions {
  readonly order?: SourceOrder;
  /** For a destination that keeps blobs for others: layers that lie uncompressed in their place are compressed, each once. */
  readonly spool?: LayerSpool;
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

/**
 * Opens the image that a user names, in whatever place.
 * Errors: REFERENCE_INVALID, MANIFEST_UNKNOWN (a bare name that is nowhere), those of the place.
 */
export async function openSource(
  text: string,
  settings: Settings,
  options: OpenSourceOptions = {},
): Promise<OpenedSource> {
  const own = ownTransport(text, settings.transports);
  if (own) return await openOwn(own.transport, own.details, settings, options);
  const location = parseLocation(text);
  switch (location.transport) {
    case 'docker':
      return await openRemote(location.reference, settings, options);
    case 'name':
    case 'id':
      return await openBare(location, settings, options);
    default:
      return await openPlace(location, settings, options);
  }
}

async function openOwn(
  transport: Transport,
  details: string,
  settings: Settings,
  { spool }: OpenSourceOptions,
): Promise<OpenedSource> {
  if (!transport.openSource) throw notASource(`${transport.name}:${details}`);
  const { source, name } = await transport.openSource(details, transportOptions(settings));
  const packed = await packedFor(source, spool);
  return { source: packed, ...(name && { name }), [Symbol.asyncDispose]: () => packed[Symbol.asyncDispose]() };
}

function notASource(text: string): ImagesError {
  return new ImagesError('UNSUPPORTED', `no image can be read from there [${text}]`, {
    hint: 'Its transport opens no sources.',
  });
}

async function openRemote(
  reference: Reference,
  settings: Settings,
  { onEvent }: OpenSourceOptions,
): Promise<OpenedSource> {
  const { anyHosts } = await import('../private-registry/registry-clients.ts');
  const name = fullReference(reference);
  const hosts = await anyHosts(await privateAddress(settings), settings, onEvent);
  const source = registrySource(hosts.forHost(name.host), name);
  return { source, name, [Symbol.asyncDispose]: () => hosts[Symbol.asyncDispose]() };
}

type BareLocation = Extract<Location, { transport: 'name' | 'id' }>;

async function openBare(location: BareLocation, settings: Settings, options: OpenSourceOptions): Promise<OpenedSource> {
  const looks = [fromStore, fromDaemon, fromPrivateRegistry];
  if (options.order === 'daemon') looks.splice(0, 2, fromDaemon, fromStore);
  for (const look of looks) {
    const found = await look(location, settings, options);
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

type Look = (
  location: BareLocation,
  settings: Settings,
  options: OpenSourceOptions,
) => Promise<OpenedSource | undefined>;

const fromStore: Look = async (location, settings) => {
  const data = location.transport === 'name' ? dataDirectoryIfUsable(settings) : undefined;
  if (location.transport !== 'name' || data === undefined || !(await embeddedStoreExists(data))) return undefined;
  const store = await openEmbeddedStore(data, storeOptions(settings));
  const { builtImageSource } = await import('./built-image-source.ts');
  const built = await builtImageSource(location.reference, store);
  return built ?? (await inRegistry(location.reference, { label: data, registry: store.registry, store }, settings));
};

const fromDaemon: Look = async (location, settings, options) => {
  const { dockerDaemonIfUsable } = await import('../../transports/docker-daemon/daemon.ts');
  const daemon = await dockerDaemonIfUsable(settings);
  if (!daemon) return undefined;
  const { findDaemonImage } = await import('../../transports/docker-daemon/daemon-source.ts');
  const daemonOptions = {
    ...transportOptions(settings),
    ...(options.spool && { spool: options.spool }),
  };
  for (const wanted of daemonNames(location)) {
    const found = await findDaemonImage(daemon, wanted, daemonOptions);
    if (!found) continue;
    const stored = await sameInStore(location, found.id, settings);
    if (!stored) return opened(found, found.names[0] && formatReference(found.names[0]), daemon);
    await found[Symbol.asyncDispose]();
    daemon[Symbol.dispose]();
    return stored;
  }
  daemon[Symbol.dispose]();
  return undefined;
};

function daemonNames(location: BareLocation): readonly ({ reference: Reference } | { id: string })[] {
  if (location.transport === 'id') return [{ id: location.id }];
  return [{ reference: location.reference }, ...(location.maybeId ? [{ id: location.maybeId }] : [])];
}

/** A daemon is slow to hand out what it has: where the store has the very same image under this name, that is read instead. */
async function sameInStore(location: BareLocation, id: Digest, settings: Settings): Promise<OpenedSource | undefined> {
  const stored = await fromStore(location, settings, {});
  if (!stored) return undefined;
  try {
    const { raw, manifest } = await readImage(stored.source, { ...callOptions(settings), machine: machinePlatform() });
    if ([manifest.config.digest, raw.digest].includes(id)) return stored;
  } catch (error) {
    if (!isImagesError(error) || error.code === 'ABORTED') throw error;
  }
  await stored[Symbol.asyncDispose]();
  return undefined;
}

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
    { label: formatReference(reference), stored: store !== undefined },
  );
  return {
    source,
    name: reference,
    ...(store && { indexOf: (digest: Digest) => storedIndex(store.objects, digest) }),
    async [Symbol.asyncDispose]() {},
  };
}

type PlaceLocation = Exclude<Location, { transport: 'docker' | 'name' | 'id' }>;

async function openPlace(
  location: PlaceLocation,
  settings: Settings,
  { spool }: OpenSourceOptions,
): Promise<OpenedSource> {
  const call = transportOptions(settings);
  const packed = (source: ImageSource) => packedFor(source, spool);
  switch (location.transport) {
    case 'oci': {
      const { ociSource } = await import('../../transports/layout/layout-source.ts');
      return opened(ociSource(location), location.ref);
    }
    case 'oci-archive': {
      const { openOciArchive } = await import('../../transports/archive/oci-archive-source.ts');
      return opened(await openOciArchive(location, call), location.ref);
    }
    case 'dir': {
      const { dirSource } = await import('../../transports/dir/dir-source.ts');
      return opened(await packed(dirSource(location.path)));
    }
    case 'docker-archive': {
      const { openDockerArchive } = await import('../../transports/docker-archive/docker-archive-source.ts');
      const { path, reference, index } = location;
      const archive = await openDockerArchive(path, call);
      const wanted = { ...(reference && { reference }), ...(index !== undefined && { index }) };
      const names = archive.images.at(archive.images.length === 1 ? 0 : (index ?? archive.images.length))?.names ?? [];
      const name = reference ? formatReference(reference) : names[0];
      return opened(await standingOn(archive, () => packed(archive.source(wanted))), name, archive);
    }
    case 'docker-daemon': {
      const [{ dockerDaemon }, { openDaemonImage }] = await Promise.all([
        import('../../transports/docker-daemon/daemon.ts'),
        import('../../transports/docker-daemon/daemon-source.ts'),
      ]);
      const daemon = await dockerDaemon(settings);
      if (!daemon) throw noDaemon();
      const wanted = location.reference ? { reference: location.reference } : { id: location.id };
      const daemonOptions = { ...call, ...(spool && { spool }) };
      const source = await standingOn(daemon, () => openDaemonImage(daemon, wanted, daemonOptions));
      return opened(source, location.reference && formatReference(location.reference), daemon);
    }
    case 'containers-storage': {
      const [{ openStore }, { storageSource }] = await Promise.all([
        import('../../transports/containers-storage/find-store.ts'),
        import('../../transports/containers-storage/storage-source.ts'),
      ]);
      const files = await openStore(location.store, settings);
      const source = await standingOn(files, () => storageSource(files, location));
      return opened(await packed(source), source.names[0]);
    }
  }
}

/** Whose layers are compressed, where they are for a destination that keeps blobs for others. */
async function packedFor(source: ImageSource, spool: LayerSpool | undefined): Promise<ImageSource> {
  if (!spool) return source;
  const { compressedSource } = await import('../../transports/compressed-source.ts');
  return compressedSource(source, spool);
}

export function noDaemon(): ImagesError {
  return new ImagesError('NOT_RUNNING', 'no Docker daemon runs', { hint: 'Start it, or set DOCKER_HOST.' });
}

type Owner = Disposable | AsyncDisposable;

/** What stands on `owner`, which is closed where it cannot be opened. */
async function standingOn<T>(owner: Owner, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await close(owner);
    throw error;
  }
}

async function close(owner: Owner): Promise<void> {
  if (Symbol.asyncDispose in owner) await owner[Symbol.asyncDispose]();
  else owner[Symbol.dispose]();
}

/** `name`: what the image is called in its place, where that is a reference. `owner` is what the source stands on. */
function opened(source: ImageSource, name?: string, owner?: Owner): OpenedSource {
  const reference = name === undefined ? undefined : tryParseReference(name);
  // A bare tag, as layouts have it, names no repository.
  const isName = reference !== undefined && /[:/]/.test(name ?? '');
  return {
    source,
    ...(isName && { name: reference }),
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      if (owner) await close(owner);
    },
  };
}
