// The contract between transports: a source is one image or index, a sink takes many images.
import type { Bytes, CallOptions, OpenContent } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageManifest, RawManifest } from '../oci/manifest.ts';
import type { Reference } from '../oci/reference.ts';
import type { BlobOptions } from '../registry/contract.ts';

/** `opensAnew`: the reader can start again from byte 0 if the bytes prove wrong. */
export type BlobCallOptions = CallOptions & Pick<BlobOptions, 'opensAnew'>;

export interface PutBlobOptions extends CallOptions {
  /** Called after mounting the blob from a repository that is remembered to have it; `mounted` is false if the registry refused. */
  readonly onMount?: (from: string, mounted: boolean) => void;
}

export interface ImageSource extends AsyncDisposable {
  /** For messages: `docker://quay.io/x/y:1`. */
  readonly label: string;
  /** The host that is asked for the bytes: requests to one host share a limit. */
  readonly host: string;
  /** The manifest or index that the reference names; requested once. */
  root(options?: CallOptions): Promise<RawManifest>;
  manifest(descriptor: Descriptor, options?: CallOptions): Promise<RawManifest>;
  /** The blob without verification. Only for sources whose verified content cannot change (files of a store). */
  readonly unverified?: (descriptor: Descriptor, options?: CallOptions) => Promise<Bytes>;
  /** The blob from byte `from` on. Broken transfers are resumed if the transport allows it. A read from byte 0 is verified. */
  blob(descriptor: Descriptor, from: number, options?: BlobCallOptions): Promise<Bytes>;
  /** The referrers of a manifest of this image (signatures, SBOMs); empty if the transport does not support them. */
  referrers(subject: Digest, options?: CallOptions): AsyncIterable<Descriptor>;
  /** The descriptor for another tag of the image's repository (cosign's signatures have tags). Returns `undefined` if there is none. */
  statTag(tag: string, options?: CallOptions): Promise<Descriptor | undefined>;
}

/** An image of a layout or an archive. */
export interface ContainedImage {
  /** The names as recorded, the full name first if it has one. */
  readonly names: readonly string[];
  /** The image is addressed by `@AT`. When absent, by its index in the list. */
  readonly at?: number;
  source(): ImageSource;
}

export interface SinkWants {
  readonly layers: 'as-is' | 'uncompressed';
  /** `none`: no indexes. `sparse`: also indexes with missing children. `complete`: only complete indexes, or it is not known. */
  readonly indexes: 'sparse' | 'complete' | 'none';
  /** `planned`: `missing` must be called before the first blob is put, because positions depend on all blobs. */
  readonly order: 'any' | 'planned';
  /** False if a blob cannot be put again once its transfer has begun, because its bytes are passed on immediately. True when absent. */
  readonly takesAgain?: boolean;
}

export interface ExpectedImage {
  readonly manifest: ImageManifest;
  config(): Promise<Uint8Array>;
}

/** The manifests that will be put under a name. */
export interface PlannedParts {
  /** The image to which the name points, or the copied images of its index. */
  readonly images: readonly ImageManifest[];
  /** The referrers, each with the tag under which it is found, if it has one. */
  readonly attached: readonly { readonly manifest: RawManifest; readonly tag?: string }[];
}

export interface ImageSink extends AsyncDisposable {
  readonly label: string;
  readonly wants: SinkWants;
  /** The name that the image gets at the destination. Present if several names can become the same: only one image can have it. */
  nameThere?(name: Reference): string | undefined;
  /** Called first: refuses what the destination cannot hold, before a byte is written. Changes nothing. Errors: UNSUPPORTED. */
  admit?(name: Reference, parts: PlannedParts): void;
  /**
   * For destinations that identify layers by their uncompressed content. Called before `missing` with what an image consists of; may read its config. Errors:
   * the destination's, those of `config`.
   */
  expect?(name: Reference, image: ExpectedImage, options?: CallOptions): Promise<void>;
  /**
   * One query for each image, which changes nothing. Returns the blobs that are lacking, each with the number of bytes that the sink holds of it. A blob that
   * it holds completely (under another name) is linked by `putBlob`, without opening it.
   */
  missing(name: Reference, blobs: readonly Descriptor[], options?: CallOptions): Promise<ReadonlyMap<Digest, number>>;
  /** The digests of those manifests that the destination lacks. */
  missingManifests(
    name: Reference,
    manifests: readonly Descriptor[],
    options?: CallOptions,
  ): Promise<ReadonlySet<Digest>>;
  putBlob(name: Reference, blob: Descriptor, open: OpenContent, options?: PutBlobOptions): Promise<void>;
  /** Mounts a blob of the name `from` into this name. Returns false if it must be put. */
  mountBlob(name: Reference, blob: Descriptor, from: Reference, options?: CallOptions): Promise<boolean>;
  /** Puts a manifest below the root. Errors: MANIFEST_BLOB_UNKNOWN and MANIFEST_INVALID if a sparse index is refused. */
  putManifest(name: Reference, manifest: RawManifest, options?: CallOptions): Promise<void>;
  /** Puts the root. Only then does the name point to the image. Errors: as `putManifest`. */
  commit(name: Reference, root: RawManifest, options?: CallOptions): Promise<void>;
  /** The digest to which the name points, if the destination made another form of what was committed. */
  committed?(name: Reference): Digest | undefined;
  finish(options?: CallOptions): Promise<void>;
}
