// The seam between places that hold images: one source is one image or index, one sink takes many images.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { RawManifest } from '../oci/manifest.ts';
import type { Reference } from '../oci/reference.ts';
import type { Bytes, CallOptions, OpenContent } from '../registry/contract.ts';

export interface ImageSource extends AsyncDisposable {
  /** For messages: `docker://quay.io/x/y:1`. */
  readonly label: string;
  /** The manifest or index that the reference names; asked once. */
  root(options?: CallOptions): Promise<RawManifest>;
  manifest(descriptor: Descriptor, options?: CallOptions): Promise<RawManifest>;
  /** The blob from byte `from` on. Breaks are mended inside where the place allows; what comes out from 0 is verified. */
  blob(descriptor: Descriptor, from: number, options?: CallOptions): Promise<Bytes>;
  /** Referrers of a manifest of this image (signatures, SBOMs): empty where the place knows none. */
  referrers(subject: Digest, options?: CallOptions): AsyncIterable<Descriptor>;
}

export interface SinkWants {
  readonly layers: 'as-is' | 'uncompressed';
  /** Whether an index can be held, and one whose children are not all there. */
  readonly indexes: 'sparse' | 'complete' | 'none';
  readonly order: 'any' | 'base-first';
}

export interface ImageSink extends AsyncDisposable {
  readonly label: string;
  readonly wants: SinkWants;
  /**
   * One question an image: which of these blobs are lacking, with the bytes of each that the sink already holds of it.
   * Blobs that it has elsewhere are mounted on the way and so not lacking.
   */
  missing(name: Reference, blobs: readonly Descriptor[], options?: CallOptions): Promise<ReadonlyMap<Digest, number>>;
  /** Of these manifests, those that are not there. */
  missingManifests(
    name: Reference,
    manifests: readonly Descriptor[],
    options?: CallOptions,
  ): Promise<ReadonlySet<Digest>>;
  putBlob(name: Reference, blob: Descriptor, open: OpenContent, options?: CallOptions): Promise<void>;
  /** A blob that an earlier `putBlob` of this run put under another name. False: it must be put. */
  mountBlob(name: Reference, blob: Descriptor, from: Reference, options?: CallOptions): Promise<boolean>;
  /** Errors: MANIFEST_BLOB_UNKNOWN and MANIFEST_INVALID where a sparse index is refused. */
  putManifest(name: Reference, manifest: RawManifest, options?: CallOptions): Promise<void>;
  /** Only now the name points to the image. */
  commit(name: Reference, root: RawManifest, options?: CallOptions): Promise<void>;
  finish(): Promise<void>;
}
