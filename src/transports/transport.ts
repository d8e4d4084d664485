// What a transport is: how a location in it is written, how it opens as a source and as a sink, what it can hold. transports.ts lists them.
import type { OnHttpEvent } from '../io/http/http-event.ts';
import type { CallOptions } from '../io/streams/bytes.ts';
import { ImagesError } from '../oci/errors.ts';
import { type Reference, tryParseReference } from '../oci/reference.ts';
import type { Registry } from '../registry/contract.ts';
import type { LayerSpool } from './compressing/contract.ts';
import type { ContainedImage, ImageSink, ImageSource } from './contract.ts';
import type { MountSources } from './mount-sources.ts';

/** A transport of one's own: its location is what stands behind `NAME:`. */
export interface Transport<Location = string> {
  /** `s3` of `s3:bucket/name`. One's own counts before a transport of this program, and before an image of that name. */
  readonly name: string;
  /** As a destination it keeps blobs for others: layers that are uncompressed at their source are compressed on their way there. False when absent. */
  readonly compressesLayers?: boolean;
  /** Why no image can be put there and what writes there instead, for the message of a transport without sinks. */
  readonly insteadOfSink?: string;
  /** Who opened the source disposes it, then its owner. Errors: REFERENCE_INVALID, those of the transport. */
  openSource?(location: Location, options: TransportOptions): Promise<TransportSource>;
  /** As `openSource`. Errors: also UNSUPPORTED for a location that can only be read (`cannotPut`). */
  openSink?(location: Location, options: TransportOptions): Promise<TransportSink>;
  /** All images of a location that names none of them; returns `undefined` where it names one. Errors: those of the transport. */
  openAll?(location: Location, options: TransportOptions): Promise<TransportImages | undefined>;
}

/** A transport of this program: a line of transports.ts. Parsing and formatting are pure. */
export interface ListedTransport<Location> extends Transport<Location> {
  /** What a location begins with; `NAME:` when absent. Where the text has less of it, it is an image's name (`docker:27`). */
  readonly prefix?: string;
  /** How a location is written, for error messages: `dir:DIR`. */
  readonly form: string;
  /** The same in a few characters, for the help. */
  readonly usage: string;
  /** What it is, for help and completion: `a registry`. */
  readonly help: string;
  /** What completion offers behind the prefix; nothing when absent. */
  readonly paths?: 'files' | 'directories';
  /** `details` is what stands behind `NAME:`. Errors: those of `refuse`, REFERENCE_INVALID. */
  parse(details: string, refuse: Refuse): Location;
  /** The details, as `parse` takes them. */
  format(location: Location): string;
}

/** Throws REFERENCE_INVALID for a location: `why` is a half sentence. */
export type Refuse = (why: string, hint?: string) => never;

/** The options of calls that keep files for a while. */
export interface FileCallOptions extends CallOptions {
  /** Where large files can lie for a while. */
  readonly temporaryDirectory: string;
}

/** What transports are given of the world, and of the call. */
export interface TransportOptions extends FileCallOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string | undefined;
  /** The user's number. */
  readonly uid: number;
  /** For a destination that keeps blobs for others: a transport may compress layers itself, as they come. */
  readonly spool?: LayerSpool;
  readonly registries: RegistryAccess;
  /** Told of the requests that a transport sends itself. */
  readonly onHttp?: OnHttpEvent;
}

/** How registries are spoken to: credentials, proxies and mirrors are configured elsewhere. */
export interface RegistryAccess {
  /** Disposing closes the connections. Errors: CONFIG_INVALID, FILE_UNREADABLE. */
  open(host: string): Promise<OpenedRegistry>;
  /** What is known of the blobs in the registry at this host. */
  mountSources(host: string): Promise<MountSources>;
}

export interface OpenedRegistry extends AsyncDisposable {
  readonly registry: Registry;
}

export interface TransportSource {
  readonly source: ImageSource;
  /** The image's own name, where its transport has one for it. */
  readonly name?: Reference;
  /** Its layers are as they are to be. Else those that are uncompressed are compressed for a destination that keeps blobs for others. */
  readonly layersAsIs?: boolean;
  /** What the source stands on: disposed after it. */
  readonly owner?: Disposable | AsyncDisposable;
}

export interface TransportSink {
  readonly sink: ImageSink;
  /** What the image is to be called, where its location says so. */
  readonly name?: Reference;
  /** What the sink stands on: disposed after it. */
  readonly owner?: Disposable | AsyncDisposable;
}

/** Disposing closes what the images are read from. */
export interface TransportImages extends AsyncDisposable {
  readonly images: readonly ContainedImage[];
  /** See `TransportSource`. */
  readonly layersAsIs?: boolean;
}

/** The name of an image as a reference: returns `undefined` for a bare tag, as layouts have it, which names no repository. */
export function ownName(text: string | undefined): Reference | undefined {
  return text !== undefined && /[:/]/.test(text) ? tryParseReference(text) : undefined;
}

/** Nothing can be put at this location, which is read only. */
export function cannotPut(location: string, hint: string): ImagesError {
  return new ImagesError('UNSUPPORTED', `no image can be put there [${location}]`, { hint });
}

export const NAME_IT = 'Name the image by a reference or a tag: an id or a place in a list cannot be chosen.';

/** What stands on `owner`, which is closed where opening fails. */
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
