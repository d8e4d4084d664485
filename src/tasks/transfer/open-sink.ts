// The place that a user names, opened as a sink of images. What a place needs is loaded when it is named.
import type { OnCopyEvent } from '../../copy/events.ts';
import { ImagesError } from '../../oci/errors.ts';
import { formatReference, fullReference, type Reference } from '../../oci/reference.ts';
import type { ImageSink } from '../../transports/contract.ts';
import { formatLocation, type Location, parseLocation } from '../../transports/location.ts';
import { ownTransport, type Transport } from '../../transports/transport.ts';
import { privateAddress } from '../private-registry/locate-registry.ts';
import { openPrivateRegistry, privateSink } from '../private-registry/private-registry.ts';
import { type Settings, transportOptions } from '../settings.ts';
import { noDaemon } from './open-source.ts';

/** Disposing without `sink.finish` discards what the sink can discard. */
export interface OpenedSink extends AsyncDisposable {
  readonly sink: ImageSink;
  /** What the image is to be called, where the place says so. */
  readonly name?: Reference;
}

export interface OpenSinkOptions {
  readonly includeHost?: boolean;
  /** Where the image comes from, as a user writes it: within one registry, blobs are mounted. */
  readonly from?: string;
  readonly onEvent?: OnCopyEvent;
}

/** A bare name is the private registry. Errors: REFERENCE_INVALID, UNSUPPORTED (a place that only can be read), those of the place. */
export async function openSink(text: string, settings: Settings, options: OpenSinkOptions = {}): Promise<OpenedSink> {
  const own = ownTransport(text, settings.transports);
  if (own) return await openOwn(own.transport, own.details, settings);
  const location = parseLocation(text);
  switch (location.transport) {
    case 'docker':
      return await openRemote(location.reference, settings, options);
    case 'name':
      return await openPrivate(location.reference, settings, options);
    default:
      return await openPlace(location, settings);
  }
}

async function openOwn(transport: Transport, details: string, settings: Settings): Promise<OpenedSink> {
  if (!transport.openSink) {
    throw new ImagesError('UNSUPPORTED', `no image can be put there [${transport.name}:${details}]`, {
      hint: 'Its transport opens no sinks.',
    });
  }
  const { sink, name } = await transport.openSink(details, transportOptions(settings));
  return opened(sink, name);
}

/** The private registry, where the image is called `name`. Errors: those of `openPrivateRegistry`. */
export async function openPrivate(
  name: Reference,
  settings: Settings,
  options: Pick<OpenSinkOptions, 'includeHost'>,
): Promise<OpenedSink> {
  const registry = await openPrivateRegistry(settings, { create: true });
  return opened(await privateSink(registry, options), name);
}

async function openRemote(
  reference: Reference,
  settings: Settings,
  { from, onEvent }: OpenSinkOptions,
): Promise<OpenedSink> {
  const [{ anyHosts, placesOf }, { registrySink }] = await Promise.all([
    import('../private-registry/registry-clients.ts'),
    import('../../transports/registry-sink.ts'),
  ]);
  const name = fullReference(reference);
  const hosts = await anyHosts(await privateAddress(settings), settings, onEvent);
  const sink = registrySink(hosts.forHost(name.host), {
    label: `docker://${formatReference(name)}`,
    repository: ({ path }) => path,
    indexes: 'complete',
    places: placesOf(name.host, settings, from === undefined ? undefined : repositoryAt(name.host, from, settings)),
  });
  return {
    sink,
    name,
    async [Symbol.asyncDispose]() {
      await sink[Symbol.asyncDispose]();
      await hosts[Symbol.asyncDispose]();
    },
  };
}

/** The repository of an image that is in the registry at this host. */
function repositoryAt(host: string, from: string, { transports }: Settings): string | undefined {
  if (ownTransport(from, transports)) return undefined;
  const location = parseLocation(from);
  if (location.transport !== 'docker') return undefined;
  const source = fullReference(location.reference);
  return source.host === host ? source.path : undefined;
}

async function openPlace(
  location: Exclude<Location, { transport: 'docker' | 'name' }>,
  settings: Settings,
): Promise<OpenedSink> {
  switch (location.transport) {
    case 'oci':
    case 'oci-archive': {
      if (location.index !== undefined || location.digest) throw notASink(location);
      const ref = location.ref === undefined ? {} : { ref: location.ref };
      if (location.transport === 'oci') {
        const { ociSink } = await import('../../transports/layout/layout-sink.ts');
        return opened(ociSink(location.path, ref));
      }
      const { ociArchiveSink } = await import('../../transports/archive/oci-archive-sink.ts');
      return opened(ociArchiveSink(location.path, { ...ref, ...transportOptions(settings) }));
    }
    case 'dir': {
      const { dirSink } = await import('../../transports/dir/dir-sink.ts');
      return opened(dirSink(location.path));
    }
    case 'docker-archive': {
      if (location.index !== undefined) throw notASink(location);
      const { dockerArchiveSink } = await import('../../transports/docker-archive/docker-archive-sink.ts');
      const { reference } = location;
      return opened(dockerArchiveSink(location.path, transportOptions(settings)), reference);
    }
    case 'docker-daemon': {
      if (!location.reference) throw notASink(location);
      const [{ dockerDaemon }, { dockerDaemonSink }] = await Promise.all([
        import('../../transports/docker-daemon/daemon.ts'),
        import('../../transports/docker-daemon/daemon-sink.ts'),
      ]);
      const daemon = await dockerDaemon(settings);
      if (!daemon) throw noDaemon();
      const { [Symbol.asyncDispose]: dispose, ...sink } = opened(
        dockerDaemonSink(daemon, transportOptions(settings)),
        location.reference,
      );
      return {
        ...sink,
        async [Symbol.asyncDispose]() {
          await dispose();
          daemon[Symbol.dispose]();
        },
      };
    }
    default:
      throw notASink(location);
  }
}

/** Whether blobs are kept there for others, so that layers go in compressed. Errors: REFERENCE_INVALID. */
export function keepsBlobs(text: string, { transports }: Pick<Settings, 'transports'>): boolean {
  const own = ownTransport(text, transports);
  if (own) return own.transport.compressesLayers ?? false;
  return ['docker', 'name', 'oci', 'oci-archive'].includes(parseLocation(text).transport);
}

function opened(sink: ImageSink, name?: Reference): OpenedSink {
  return { ...(name && { name }), sink, [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose]() };
}

function notASink(location: Location): ImagesError {
  return new ImagesError('UNSUPPORTED', `no image can be put there [${formatLocation(location)}]`, {
    hint:
      location.transport === 'containers-storage'
        ? '`images make` writes such stores.'
        : 'Name the image by a reference or a tag: an id or a place in a list cannot be chosen.',
  });
}
