// A transport of one's own: a place of images beside those that location.ts knows, named by what stands before the first colon.
import type { CallOptions } from '../io/streams/bytes.ts';
import type { Reference } from '../oci/reference.ts';
import type { ImageSink, ImageSource } from './contract.ts';

export interface TransportOptions extends CallOptions {
  /** Where files may lie for a while. */
  readonly temporaryDirectory: string;
}

export interface Transport {
  /** `s3` of `s3:bucket/name`. It counts before a transport of this program, and before an image of that name. */
  readonly name: string;
  /** Layers that lie uncompressed in their source are compressed on their way there: it keeps blobs for others. False when absent. */
  readonly compressesLayers?: boolean;
  /** `details` is what stands after the colon. Who opened the source disposes it. Errors: REFERENCE_INVALID, those of the place. */
  openSource?(details: string, options: TransportOptions): Promise<TransportSource>;
  /** As `openSource`. */
  openSink?(details: string, options: TransportOptions): Promise<TransportSink>;
}

export interface TransportSource {
  readonly source: ImageSource;
  /** The image's own name, where its place has one for it. */
  readonly name?: Reference;
}

export interface TransportSink {
  readonly sink: ImageSink;
  /** What the image is to be called, where the place says so. */
  readonly name?: Reference;
}

/** The first of `transports` that `text` names, and what it says to it. */
export function ownTransport(
  text: string,
  transports: readonly Transport[] = [],
): { readonly transport: Transport; readonly details: string } | undefined {
  const colon = text.indexOf(':');
  const transport = colon < 0 ? undefined : transports.find(({ name }) => name === text.slice(0, colon));
  return transport && { transport, details: text.slice(colon + 1) };
}
