// The seam between places that hold images: one source is one image or index, one sink takes many images.
import type { Bytes, CallOptions, OpenContent } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageManifest, RawManifest } from '../oci/manifest.ts';
import type { Reference } from '../oci/reference.ts';
import type { BlobOptions } from '../registry/contract.ts';

/** `opensAnew`: the reader can begin again where the bytes prove wrong. */
export type BlobCallOptions = CallOptions & Pick<BlobOptions, 'opensAnew'>;

export interface PutBlobOptions extends CallOptions {
  /** The blob was, or could not be, mounted from a repository that is remembered to have it. */
  readonly onMount?: (from: string, mounted: boolean) => void;
}

export interface ImageSource extends AsyncDisposable {
  /** For messages: `docker://quay.io/x/y:1`. */
  readonly label: string;
  /** Who is asked for the bytes: requests to one host are limited together. */
  readonly host: string;
  /** The manifest or index that the reference names; asked once. */
  root(options?: CallOptions): Promise<RawManifest>;
  manifest(descriptor: Descriptor, options?: CallOptions): Promise<RawManifest>;
  /** The blob as it lies there, not verified: where what was verified once stays so (files of a store). */
  readonly unverified?: (descriptor: Descriptor, options?: CallOptions) => Promise<Bytes>;
  /** The blob from byte `from` on. Breaks are mended inside where the place allows; what comes out from 0 is verified. */
  blob(descriptor: Descriptor, from: number, options?: BlobCallOptions): Promise<Bytes>;
  /** Referrers of a manifest of this image (signatures, SBOMs): empty where the place knows none. */
  referrers(subject: Digest, options?: CallOptions): AsyncIterable<Descriptor>;
  /** What another tag of the image's repository points to (cosign keeps signatures so): `undefined` where there is none. */
  statTag(tag: string, options?: CallOptions): Promise<Descriptor | undefined>;
}

/** An image of a layout or an archive. */
export interface ContainedImage {
  /** As the place has them, the full name where it has one. */
  readonly names: readonly string[];
  /** `@AT` names it in its place; the place in the list when absent. */
  readonly at?: number;
  source(): ImageSource;
}

export interface SinkWants {
  readonly layers: 'as-is' | 'uncompressed';
  /** Whether an index can be held, and one whose children are not all there; `complete` also where that is not known. */
  readonly indexes: 'sparse' | 'complete' | 'none';
  /** `planned`: `missing` is asked before the first blob comes, because where blobs go depends on all of them. */
  readonly order: 'any' | 'planned';
  /** False where a blob that has begun to come cannot be put again: its bytes go on as they come. True when absent. */
  readonly takesAgain?: boolean;
}

export interface ExpectedImage {
  readonly manifest: ImageManifest;
  config(): Promise<Uint8Array>;
}

/** What is to be under a name. */
export interface PlannedParts {
  /** The one that the name points to, or those of its index that come along. */
  readonly images: readonly ImageManifest[];
  /** What points to them; with the tag under which it is found, where it has one. */
  readonly attached: readonly { readonly manifest: RawManifest; readonly tag?: string }[];
}

export interface ImageSink extends AsyncDisposable {
  readonly label: string;
  readonly wants: SinkWants;
  /** What the name comes to there, where several names can come to the same: only one image can have it. */
  nameThere?(name: Reference): string | undefined;
  /** Asked first: refuses what the place cannot hold, before a byte is written. Changes nothing. Errors: UNSUPPORTED. */
  admit?(name: Reference, parts: PlannedParts): void;
  /**
   * For places that know layers by their uncompressed content: before `missing` they are told what an image consists of, and may read its config.
   * Errors: the place's, those of `config`.
   */
  expect?(name: Reference, image: ExpectedImage, options?: CallOptions): Promise<void>;
  /**
   * One question an image, which changes nothing: which of these blobs are lacking, with the bytes of each that the sink already
   * holds of it. What it holds to the last byte (under another name) `putBlob` links without opening it.
   */
  missing(name: Reference, blobs: readonly Descriptor[], options?: CallOptions): Promise<ReadonlyMap<Digest, number>>;
  /** Of these manifests, those that are not there. */
  missingManifests(
    name: Reference,
    manifests: readonly Descriptor[],
    options?: CallOptions,
  ): Promise<ReadonlySet<Digest>>;
  putBlob(name: Reference, blob: Descriptor, open: OpenContent, options?: PutBlobOptions): Promise<void>;
  /** Makes a blob that is there under the name `from` one of this name. False: it must be put. */
  mountBlob(name: Reference, blob: Descriptor, from: Reference, options?: CallOptions): Promise<boolean>;
  /** A manifest below the root. Errors: MANIFEST_BLOB_UNKNOWN and MANIFEST_INVALID where a sparse index is refused. */
  putManifest(name: Reference, manifest: RawManifest, options?: CallOptions): Promise<void>;
  /** Puts the root; only now the name points to the image. Errors: as `putManifest`. */
  commit(name: Reference, root: RawManifest, options?: CallOptions): Promise<void>;
  /** What the name points to now, where the place has made another form of what was committed. */
  committed?(name: Reference): Digest | undefined;
  finish(options?: CallOptions): Promise<void>;
}
