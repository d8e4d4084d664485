// The registry contract: what the HTTP client, the store on disk and the one in memory all are, and what the server serves.
// A policy (read-only, host names, pull-through) is a function Registry → Registry. Repository names here have no host.
import type { Bytes, CallOptions, OpenContent } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest, DigestAlgorithm } from '../oci/digest.ts';
import type { RawManifest } from '../oci/manifest.ts';

export interface ReadOptions extends CallOptions {
  /** The host that the name was asked for at (`?ns=` on the wire): a key to look up, never an address to connect to. */
  readonly host?: string;
}

export interface BlobOptions extends ReadOptions {
  /** First byte wanted; 0 when absent. */
  readonly from?: number;
  /** The byte after the last one wanted; the blob's end when absent or beyond it. */
  readonly to?: number;
  /** The whole blob's, where the caller knows it: not all hosts say. */
  readonly size?: number;
  /** The body of a whole blob verifies itself, from whatever registry it comes. A store notes what it finds out. */
  readonly verify?: boolean;
  /**
   * The reader opens the blob anew where its bytes prove wrong (`open-anew.ts`). Others get what another attempt may give otherwise only
   * when it is verified: out of a temporary file.
   */
  readonly opensAnew?: boolean;
}

export interface StatOptions extends ReadOptions {
  /** `undefined` also where a part of the image is known to be damaged, by who keeps it: it is to be put again. */
  readonly whole?: boolean;
}

export interface BlobContent {
  /** `size` is the whole blob's, whatever the range. */
  readonly descriptor: Descriptor;
  /**
   * The bytes of the range. From the HTTP client, a body that starts at 0 verifies itself and throws DIGEST_INVALID or SIZE_INVALID
   * before its end; of a later one the reader verifies the whole. The body must be read to its end or returned.
   */
  readonly body: Bytes;
}

export interface RegistryReader {
  /** Errors: MANIFEST_UNKNOWN, NAME_UNKNOWN. The digest is verified where the reference is one. */
  getManifest(repository: string, tagOrDigest: string, options?: ReadOptions): Promise<RawManifest>;
  /** `undefined` where there is none. Costs no pull quota. */
  statManifest(repository: string, tagOrDigest: string, options?: StatOptions): Promise<Descriptor | undefined>;
  /** Errors: BLOB_UNKNOWN, NAME_UNKNOWN, RANGE_INVALID (from beyond the end). */
  getBlob(repository: string, digest: Digest, options?: BlobOptions): Promise<BlobContent>;
  /** `undefined` where the repository has no such blob. mediaType is application/octet-stream. */
  statBlob(repository: string, digest: Digest, options?: ReadOptions): Promise<Descriptor | undefined>;
}

/** An upload in progress; disposing keeps it for a later `openUpload` with its id. */
export interface Upload extends AsyncDisposable {
  readonly id: string;
  /** Bytes that are kept: what has been received, but for what a running `append` has not written yet. */
  readonly size: number;
  /**
   * Appends; what arrived before a failure is kept and counted. Returns the new size: so much is on disk, unless `isLast` says that `commit` comes next, which sees to it.
   * Errors: RANGE_INVALID when `from` is not `size`, NO_SPACE, READ_ONLY.
   */
  append(body: Bytes, options?: AppendOptions): Promise<number>;
  /** Verifies and publishes. Errors: DIGEST_INVALID (the upload is discarded). */
  commit(digest: Digest): Promise<Descriptor>;
  cancel(): Promise<void>;
}

export interface AppendOptions extends CallOptions {
  readonly from?: number;
  readonly isLast?: boolean;
}

export interface UploadOptions extends CallOptions {
  /** That of the digest which will end the upload, where it is known: the bytes are then hashed as they come, and not read once more. */
  readonly algorithm?: DigestAlgorithm;
}

export interface DeleteOptions extends CallOptions {
  /** With it, what no other name needs any more. An embedded registry does so, also over HTTP; for others this is no more than a wish. */
  readonly unneeded?: boolean;
}

export interface RegistryWriter {
  /**
   * Puts a blob unless it is there: `open` is called with the number of bytes that an earlier, broken attempt left
   * (only registries that keep them; the others say 0), or not at all. Idempotent, atomic; safe beside other processes.
   * Errors: NAME_INVALID, DIGEST_INVALID, SIZE_INVALID (nothing wrong is kept), NO_SPACE, READ_ONLY.
   */
  putBlob(repository: string, blob: Descriptor, open: OpenContent, options?: CallOptions): Promise<void>;
  /** Starts an upload, or goes on with the one named. Errors: BLOB_UPLOAD_UNKNOWN, NAME_INVALID. */
  openUpload(repository: string, id?: string, options?: UploadOptions): Promise<Upload>;
  /** Makes a blob of another repository (any, when `from` is absent) one of this repository. False: push it, whatever the reason. */
  mountBlob(repository: string, digest: Digest, from?: string, options?: CallOptions): Promise<boolean>;
  /**
   * Stores a manifest under its digest, then points the tags to it. Idempotent.
   * Errors: MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN (config or layers missing; or children of an index, where the registry refuses sparse indexes),
   * NAME_INVALID, TAG_INVALID.
   */
  putManifest(repository: string, manifest: RawManifest, tags: readonly string[], options?: CallOptions): Promise<void>;
  /** Removes the tag alone. Errors: MANIFEST_UNKNOWN, NAME_UNKNOWN, UNSUPPORTED. */
  deleteTag(repository: string, tag: string, options?: DeleteOptions): Promise<void>;
  /** Removes the manifest and every tag that points to it. Errors: MANIFEST_UNKNOWN, NAME_UNKNOWN, UNSUPPORTED. */
  deleteManifest(repository: string, digest: Digest, options?: DeleteOptions): Promise<void>;
  /** Errors: BLOB_UNKNOWN, NAME_UNKNOWN, UNSUPPORTED. */
  deleteBlob(repository: string, digest: Digest, options?: CallOptions): Promise<void>;
}

export interface ListOptions extends ReadOptions {
  /** What the caller passes over: it need not be looked at, and may come or not. */
  readonly unwanted?: ReadonlySet<string>;
}

export interface ReferrerOptions extends ReadOptions {
  /** Those whose digest comes after this text. */
  readonly after?: string;
}

export interface RegistryLister {
  /** In byte order, those after `after`. */
  repositories(after?: string, options?: CallOptions): AsyncIterable<string>;
  /** In byte order, those after `after`. Errors (at the first step): NAME_UNKNOWN. */
  tags(repository: string, after?: string, options?: ListOptions): AsyncIterable<string>;
  /**
   * Descriptors of the manifests whose `subject` is this digest, with artifactType and annotations; those of one type where given. In the order of their
   * digests, each once. Never an error for an unknown digest.
   */
  referrers(
    repository: string,
    subject: Digest,
    artifactType?: string,
    options?: ReferrerOptions,
  ): AsyncIterable<Descriptor>;
}

/** What it takes to read images with all that points to them. */
export type ImageReader = RegistryReader & Pick<RegistryLister, 'referrers'>;

export interface Registry extends RegistryReader, RegistryWriter, RegistryLister {
  /**
   * Bytes of this blob that the next `putBlob` need not ask for: what a broken-off one left, or all of it where another
   * repository has it and a link will do. 0 where nothing is kept.
   */
  partialBytes(digest: Digest): Promise<number>;
}
