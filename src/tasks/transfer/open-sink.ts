// Opens the location that a user names as a sink of images. The code of a transport is loaded when it is named.

import type { OnCopyEvent } from '../../copy/events.ts';
import { checkArguments, TEXT } from '../../oci/arguments.ts';
import type { Reference } from '../../oci/reference.ts';
import type { ImageSink } from '../../transports/contract.ts';
import { formatLocation, locate } from '../../transports/location.ts';
import { cannotPut, disposeOwner, NAME_IT } from '../../transports/transport.ts';
import { OPTIONS, SETTINGS } from '../arguments.ts';
import { openPrivateRegistry, privateSink } from '../private-registry/private-registry.ts';
import type { Settings, World } from '../settings.ts';
import { boundTransport, openOptions } from './open-options.ts';

/** Disposing without `sink.finish` discards as much as the sink can. */
export interface OpenedSink extends AsyncDisposable {
  readonly sink: ImageSink;
  /** The image's new name, if the location contains one. */
  readonly name?: Reference;
}

export interface OpenSinkOptions {
  readonly includeHost?: boolean;
  /** The source of the image, as a user writes it. Within one registry its blobs are mounted. */
  readonly from?: string;
  readonly onEvent?: OnCopyEvent;
}

/** A bare name means the private registry. Errors: REFERENCE_INVALID, UNSUPPORTED (the transport is read-only), those of the transport. */
export async function openSink(text: string, settings: Settings, options: OpenSinkOptions = {}): Promise<OpenedSink> {
  checkArguments({ text: [text, TEXT], settings: [settings, SETTINGS], options: [options, OPTIONS] });
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

/** Opens the private registry as a sink; `name` is the image's name there. Errors: those of `openPrivateRegistry`. */
export async function openPrivate(
  name: Reference,
  settings: Settings,
  options: Pick<OpenSinkOptions, 'includeHost'>,
): Promise<OpenedSink> {
  const registry = await openPrivateRegistry(settings, { create: true });
  return opened(await privateSink(registry, options), name);
}

/** Whether the transport stores blobs for others, so that layers are compressed on the way. Errors: REFERENCE_INVALID. */
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
