// The place that a user names, opened as a sink of images. What a place needs is loaded when it is named.
import type { OnCopyEvent } from '../../copy/events.ts';
import type { Reference } from '../../oci/reference.ts';
import type { ImageSink } from '../../transports/contract.ts';
import { formatLocation, locate } from '../../transports/location.ts';
import { cannotPut, disposeOwner, NAME_IT } from '../../transports/transport.ts';
import { openPrivateRegistry, privateSink } from '../private-registry/private-registry.ts';
import type { Settings, World } from '../settings.ts';
import { boundTransport, openOptions } from './open-options.ts';

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
  const location = locate(text, settings.transports);
  if (location.transport === 'name') return await openPrivate(location.reference, settings, options);
  if (location.transport === 'id') throw cannotPut(formatLocation(location), NAME_IT);
  const { transport, where } = boundTransport(location);
  if (!transport.openSink) {
    throw cannotPut(formatLocation(location), transport.insteadOfSink ?? 'Its transport opens no sinks.');
  }
  const { sink, name, owner } = await transport.openSink(where, openOptions(settings, options));
  return opened(sink, name, owner);
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

/** Whether blobs are kept there for others, so that layers go in compressed. Errors: REFERENCE_INVALID. */
export function compressesLayers(text: string, { transports }: Pick<World, 'transports'>): boolean {
  const location = locate(text, transports);
  if (location.transport === 'id') return false;
  return location.transport === 'name' || (boundTransport(location).transport.compressesLayers ?? false);
}

function opened(sink: ImageSink, name?: Reference, owner?: Disposable | AsyncDisposable): OpenedSink {
  return {
    ...(name && { name }),
    sink,
    async [Symbol.asyncDispose]() {
      await sink[Symbol.asyncDispose]();
      await disposeOwner(owner);
    },
  };
}
