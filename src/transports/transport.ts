// What a transport is: how a location in it is written, how it opens as a source and as a sink, what it can hold. transports.ts lists them.
import type { OnHttpEvent } from '../io/http/http-event.ts';
import type { CallOptions } from '../io/streams/bytes.ts';
import { ImagesError } from '../oci/errors.ts';
import { type Reference, tryParseReference } from '../oci/reference.ts';
import type { Registry } from '../registry/contract.ts';
import type { LayerSpool } from './compressing/contract.ts';
import type { ContainedImage, ImageSink, ImageSource } from './contract.ts';
import type { MountSources } from './mount-sources.ts';

/** A transport that the caller of the library defines. Its location is the text after `NAME:`. */
export interface Transport<Location = string> {
  /** The `s3` of `s3:bucket/name`. It takes precedence over a transport of this program with the same name, and over an image with that name. */
  readonly name: string;
  /** Whether the transport, as a destination, serves blobs to others: then layers that are uncompressed at their source are compressed. False when absent. */
  readonly compressesLayers?: boolean;
  /** For a transport without sinks: why no image can be put there, and which command can write there instead. Used in messages. */
  readonly insteadOfSink?: string;
  /** Whoever opened the source disposes it, and then its owner. Errors: REFERENCE_INVALID, those of the transport. */
  openSource?(location: Location, options: TransportOptions): Promise<TransportSource>;
  /** Like `openSource`. Errors: also UNSUPPORTED for a location that can only be read (`cannotPut`). */
  openSink?(location: Location, options: TransportOptions): Promise<TransportSink>;
  /** All images of a location that names none of them; returns `undefined` where it names one. Errors: those of the transport. */
  openAll?(location: Location, options: TransportOptions): Promise<TransportImages | undefined>;
}

/** A transport of this program: a line of transports.ts. Parsing and formatting are pure. */
export interface ListedTransport<Location> extends Transport<Location> {
  /** The beginning of a location; `NAME:` when absent. If a text has only a part of it, it is an image's name (`docker:27`). */
  readonly prefix?: string;
  /** The form of a location for error messages: `dir:DIR`. */
  readonly form: string;
  /** The same in a few characters, for the help. */
  readonly usage: string;
  /** A description for help and completion: `a registry`. */
  readonly help: string;
  /** What completion offers after the prefix; nothing when absent. */
  readonly paths?: 'files' | 'directories';
  /** `details` is the text after `NAME:`. Errors: those of `refuse`, REFERENCE_INVALID. */
  parse(details: string, refuse: Refuse): Location;
  /** The details, as `parse` takes them. */
  format(location: Location): string;
}

/** Throws REFERENCE_INVALID for a location. `why` is a clause that completes the message. */
export type Refuse = (why: string, hint?: string) => never;

/** The options of calls that keep files for a while. */
export interface FileCallOptions extends CallOptions {
  /** The directory for large temporary files. */
  readonly temporaryDirectory: string;
}

/** The environment and the options of a call that transports get. */
export interface TransportOptions extends FileCallOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string | undefined;
  /** The user's numeric id. */
  readonly uid: number;
  /** Present for a destination that serves blobs to others: a transport may compress layers itself, as they arrive. */
  readonly spool?: LayerSpool;
  readonly registries: RegistryAccess;
  /** Called for the requests that a transport sends itself. */
  readonly onHttp?: OnHttpEvent;
}

/** Access to registries: credentials, proxies and mirrors are configured elsewhere. */
export interface RegistryAccess {
  /** Disposing closes the connections. Errors: CONFIG_INVALID, FILE_UNREADABLE. */
  open(host: string): Promise<OpenedRegistry>;
  /** What is remembered of the blobs in the registry at this host. */
  mountSources(host: string): Promise<MountSources>;
}

export interface OpenedRegistry extends AsyncDisposable {
  readonly registry: Registry;
}

export interface TransportSource {
  readonly source: ImageSource;
  /** The image's own name, if its transport has one. */
  readonly name?: Reference;
  /** Whether the layers are in their final form. If not, uncompressed ones are compressed for a destination that serves blobs to others. */
  readonly layersAsIs?: boolean;
  /** What the source depends on; disposed after it. */
  readonly owner?: Disposable | AsyncDisposable;
}

export interface TransportSink {
  readonly sink: ImageSink;
  /** The name that the image gets, if the location states it. */
  readonly name?: Reference;
  /** What the sink depends on; disposed after it. */
  readonly owner?: Disposable | AsyncDisposable;
}

/** Disposing closes the file or connection from which the images are read. */
export interface TransportImages extends AsyncDisposable {
  readonly images: readonly ContainedImage[];
  /** See `TransportSource`. */
  readonly layersAsIs?: boolean;
}

/** The name of an image as a reference: returns `undefined` for a bare tag, as layouts have it, which names no repository. */
export function ownName(text: string | undefined): Reference | undefined {
  return text !== undefined && /[:/]/.test(text) ? tryParseReference(text) : undefined;
}

/** The error for a location that is read-only. */
export function cannotPut(location: string, hint: string): ImagesError {
  return new ImagesError('UNSUPPORTED', `no image can be put there [${location}]`, { hint });
}

export const NAME_IT = 'Name the image by a reference or a tag: an id or an index in a list cannot be chosen.';

/** Opens something that depends on `owner`, which is closed if opening fails. */
export async function standingOn<T>(owner: Disposable | AsyncDisposable, open: () => T | Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await disposeOwner(owner);
    throw error;
  }
}

export async function disposeOwner(owner: Disposable | AsyncDisposable | undefined): Promise<void> {
  if (owner === undefined) return;
  if (Symbol.asyncDispose in owner) await owner[Symbol.asyncDispose]();
  else owner[Symbol.dispose]();
}
