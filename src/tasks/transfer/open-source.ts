// Opens the location that a user names as a source of one image. The code of a transport is loaded when it is named.

import type { OnCopyEvent } from '../../copy/events.ts';
import { checkArguments, TEXT } from '../../oci/arguments.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { formatReference, type Reference } from '../../oci/reference.ts';
import type { IndexStore } from '../../rootfs/contract.ts';
import { storedIndex } from '../../storage/builds/layer-indexes.ts';
import { embeddedStoreExists } from '../../storage/embedded-store.ts';
import type { LayerSpool } from '../../transports/compressing/contract.ts';
import type { ImageSource } from '../../transports/contract.ts';
import { type BareLocation, formatLocation, locate, type OwnLocation } from '../../transports/location.ts';
import { readImage } from '../../transports/readable-image.ts';
import { registrySource } from '../../transports/registry-source.ts';
import { disposeOwner, ownName } from '../../transports/transport.ts';
import type { TransportLocation } from '../../transports/transports.ts';
import { OPTIONS, SETTINGS } from '../arguments.ts';
import { locateRegistry } from '../private-registry/locate-registry.ts';
import { openRuledStore } from '../private-registry/open-store.ts';
import { findImage, openPrivateRegistry, type PrivateRegistry } from '../private-registry/private-registry.ts';
import { dataDirectoryIfUsable } from '../private-registry/registry-state.ts';
import {
  callOptions,
  httpOptions,
  type Settings,
  type TaskCall,
  transportOptions,
  withoutRepeats,
} from '../settings.ts';
import { boundTransport, openOptions } from './open-options.ts';

/** The search order for a bare name. `store`: the store, the daemon, the private registry. `daemon`: the daemon before the store. */
export type SourceOrder = 'store' | 'daemon';

export interface OpenSourceOptions {
  readonly order?: SourceOrder;
  /** For a destination that stores blobs for others: compresses layers that are uncompressed at their source, each once. */
  readonly spool?: LayerSpool;
  readonly onEvent?: OnCopyEvent;
}

/** Disposing closes the source and the resources below it. */
export interface OpenedSource extends AsyncDisposable {
  readonly source: ImageSource;
  /** The image's name in its transport, if it has one. */
  readonly name?: Reference;
  /** Storage for the indexes of its layers. */
  readonly indexOf?: (digest: Digest) => IndexStore;
}

/** Opens the image that a user names, at any location. Errors: REFERENCE_INVALID, MANIFEST_UNKNOWN (a bare name that is nowhere), those of the transport. */
export async function openSource(
  text: string,
  settings: Settings,
  options: OpenSourceOptions = {},
): Promise<OpenedSource> {
  checkArguments({ text: [text, TEXT], settings: [settings, SETTINGS], options: [options, OPTIONS] });
  const location = locate(text, settings.transports);
  if (location.transport === 'name' || location.transport === 'id')
    return await openBare(location, withoutRepeats(settings), options);
  return await openLocation(location, settings, options);
}

async function openLocation(
  location: TransportLocation | OwnLocation,
  settings: Settings,
  options: OpenSourceOptions,
): Promise<OpenedSource> {
  const { transport, where } = boundTransport(location);
  if (!transport.openSource) throw notASource(formatLocation(location));
  const { spool } = options;
  const { source, name, layersAsIs, owner } = await transport.openSource(
    where,
    openOptions(settings, { ...options, ...(spool && { spool }) }),
  );
  return opened(await packed(source, layersAsIs ? undefined : spool), name, owner);
}

function notASource(text: string): ImagesError {
  return new ImagesError('UNSUPPORTED', `no image can be read from there [${text}]`, {
    hint: 'Its transport opens no sources.',
  });
}

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
  const store = await openRuledStore(data, settings);
  const { builtImageSource } = await import('./built-image-source.ts');
  const built = await builtImageSource(location.reference, store);
  return built ?? (await inRegistry(location.reference, { label: data, registry: store.registry, store }, settings));
};

const fromDaemon: Look = async (location, settings, options) => {
  const { dockerDaemonIfUsable } = await import('../../transports/docker-daemon/daemon.ts');
  const daemon = await dockerDaemonIfUsable({ ...settings, ...httpOptions(settings) });
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
    if (!stored) return opened(found, ownName(found.names[0] && formatReference(found.names[0])), daemon);
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

/** An optimisation: a daemon exports images slowly. If the store has the same image under this name, it is read from there. */
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

/** Skips a private registry that is the embedded one: the store was searched already. */
const fromPrivateRegistry: Look = async (location, settings) => {
  if (location.transport !== 'name' || (await locateRegistry(settings))?.kind !== 'remote') return undefined;
  return await inRegistry(location.reference, await openPrivateRegistry(settings), settings);
};

async function inRegistry(
  reference: Reference,
  registry: PrivateRegistry,
  settings: TaskCall,
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

/** Wraps the source so that `spool` compresses its layers; without a spool, the source itself. */
export async function packed(source: ImageSource, spool: LayerSpool | undefined): Promise<ImageSource> {
  if (!spool) return source;
  const { compressedSource } = await import('../../transports/compressing/compressed-source.ts');
  return compressedSource(source, spool);
}

/** `owner` is the resource below the source, disposed with it. */
function opened(source: ImageSource, name?: Reference, owner?: Disposable | AsyncDisposable): OpenedSource {
  return {
    source,
    ...(name && { name }),
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]();
      await disposeOwner(owner);
    },
  };
}
