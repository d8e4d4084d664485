// The registry contract, implemented by the HTTP client and by the store on disk and in memory. The server serves any Registry.
// A policy (read-only, host names, pull-through) is a function Registry → Registry. Repository names have no host here.
import type { Bytes, CallOptions, OpenContent } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest, DigestAlgorithm } from '../oci/digest.ts';
import type { RawManifest } from '../oci/manifest.ts';

export interface ReadOptions extends CallOptions {
  /** The host for which the name was requested (`?ns=` on the wire): a key for look-ups, never an address to connect to. */
  readonly host?: string;
  /** The host for which the registry was asked, as far as the client's own address for it tells: said where nothing else is. */
  readonly askedAs?: string;
  /** Set for a pull by a client, with what the client named: so it can be counted. Others only look. */
  readonly pull?: PulledBy;
  /** The registries that ask on behalf of the one before them: each adds its own id, and one that finds its own refuses (`pull-through/`). */
  readonly via?: readonly string[];
  /** The id of the client's request: said to the registry that is asked for it, so that the logs of both can be read together. */
  readonly requestId?: string;
}

export type PulledBy = 'tag' | 'digest';

export interface BlobOptions extends ReadOptions {
  /** Offset of the first byte; default 0. */
  readonly from?: number;
  /** Offset after the last byte; the end of the blob if absent or beyond it. */
  readonly to?: number;
  /** Size of the whole blob, if the caller knows it. Not all hosts tell it. */
  readonly size?: number;
  /** Makes the body of a whole blob verify itself, whatever the registry. A store records the result. */
  readonly verify?: boolean;
  /**
   * Says that the consumer opens the blob again if its bytes prove wrong (`open-anew.ts`). For other consumers, bytes that another attempt could
   * replace are verified first, in a temporary file.
   */
  readonly opensAnew?: boolean;
}

export interface StatOptions extends ReadOptions {
  /** Also returns `undefined` if the registry knows that a part of the image is damaged, so that the image is put again. */
  readonly whole?: boolean;
}

export interface BlobContent {
  /** With the size of the whole blob, whatever the range. */
  readonly descriptor: Descriptor;
  /**
   * The bytes of the range. From the HTTP client, a body that starts at 0 verifies itself and throws DIGEST_INVALID or SIZE_INVALID
   * before its end; with a later start, the consumer has to verify the whole. The body must be read to its end or closed with `return`.
   */
  readonly body: Bytes;
}

export interface RegistryReader {
  /** If the reference is a digest, the manifest is verified. Errors: MANIFEST_UNKNOWN, NAME_UNKNOWN. */
  getManifest(repository: string, tagOrDigest: string, options?: ReadOptions): Promise<RawManifest>;
  /** Returns `undefined` if there is no such manifest. Does not count against a pull quota. */
  statManifest(repository: string, tagOrDigest: string, options?: StatOptions): Promise<Descriptor | undefined>;
  /** Errors: BLOB_UNKNOWN, NAME_UNKNOWN, RANGE_INVALID (`from` is beyond the end). */
  getBlob(repository: string, digest: Digest, options?: BlobOptions): Promise<BlobContent>;
  /** Returns `undefined` if the repository does not have the blob. The mediaType is application/octet-stream. */
  statBlob(repository: string, digest: Digest, options?: ReadOptions): Promise<Descriptor | undefined>;
}

/** An upload in progress. Disposing it keeps the upload, so that `openUpload` can continue it by its id. */
export interface Upload extends AsyncDisposable {
  readonly id: string;
  /** Bytes received and kept. Bytes of a running `append` count when they are written. */
  readonly size: number;
  /**
   * Appends bytes; after a failure, those that arrived are kept and counted. Returns the new size. These bytes are on disk then, unless `isLast` says that
   * `commit` follows, which writes them to disk. Errors: RANGE_INVALID if `from` is not `size`, NO_SPACE, READ_ONLY.
   */
  append(body: Bytes, options?: AppendOptions): Promise<number>;
  /** Verifies and publishes the blob. Errors: DIGEST_INVALID (the upload is discarded). */
  commit(digest: Digest): Promise<Descriptor>;
  cancel(): Promise<void>;
}

export interface AppendOptions extends CallOptions {
  /** How many bytes will come, if that is known: what does not fit can be refused before it is sent. */
  readonly length?: number;
  readonly from?: number;
  readonly isLast?: boolean;
}

export interface UploadOptions extends CallOptions {
  /** Algorithm of the digest at the end of the upload, if it is known. The bytes are then hashed as they come and not read a second time. */
  readonly algorithm?: DigestAlgorithm;
}

export interface DeleteOptions extends CallOptions {
  /** Also deletes what no other name needs any more. The embedded registry does so, also over HTTP; other registries ignore it. */
  readonly unneeded?: boolean;
}

/** A blob while a store writes it: what has come can be read meanwhile. Disposing of it ends the reading; the writing goes on. */
export interface GrowingBlob extends AsyncDisposable {
  /** Bytes that can be read. */
  readonly size: number;
  /** All bytes are there, and have the digest. Before, nothing is verified. */
  readonly isWhole: boolean;
  /** How often what was there proved wrong, and was begun anew. */
  readonly restarts: number;
  /** Fills the buffer with bytes from this position on, which can be read. */
  read(buffer: Uint8Array, position: number): Promise<void>;
  /** Resolves when there is more of it, all of it, or less. Never, if the writing fails: who began it knows that. */
  changed(): Promise<void>;
}

export interface WriteBlobOptions extends CallOptions {
  /** Called when bytes are about to be written, by registries that keep them where they can be read. Whoever gets the blob disposes of it. */
  readonly onGrowing?: (growing: GrowingBlob) => void;
  /** Awaited when all bytes are there and verified, and not on disk yet: who waits for the bytes alone need not wait for the disk as well. */
  readonly beforeDisk?: () => Promise<void>;
  /** What an earlier attempt has left is dropped: nobody knows for whom it was got. Default: it is continued. */
  readonly anew?: boolean;
}

export interface RegistryWriter {
  /**
   * Puts a blob unless the repository has it: `open` is called with the number of bytes that an earlier, interrupted attempt left
   * (0 for registries that do not keep them), or not at all. Idempotent, atomic, safe with several processes.
   * Errors: NAME_INVALID, DIGEST_INVALID, SIZE_INVALID (no wrong bytes are kept), NO_SPACE, READ_ONLY.
   */
  putBlob(repository: string, blob: Descriptor, open: OpenContent, options?: WriteBlobOptions): Promise<void>;
  /** Starts an upload, or continues the one with this id. Errors: BLOB_UPLOAD_UNKNOWN, NAME_INVALID. */
  openUpload(repository: string, id?: string, options?: UploadOptions): Promise<Upload>;
  /** Links a blob of another repository (of any, if `from` is absent) into this one. Returns false, for whatever reason, if the blob has to be pushed. */
  mountBlob(repository: string, digest: Digest, from?: string, options?: CallOptions): Promise<boolean>;
  /**
   * Stores a manifest under its digest, then points the tags to it. Idempotent.
   * Errors: MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN (config or layers missing; or children of an index, if the registry refuses sparse indexes),
   * NAME_INVALID, TAG_INVALID.
   */
  putManifest(repository: string, manifest: RawManifest, tags: readonly string[], options?: CallOptions): Promise<void>;
  /** Removes the tag but not the manifest. Errors: MANIFEST_UNKNOWN, NAME_UNKNOWN, UNSUPPORTED. */
  deleteTag(repository: string, tag: string, options?: DeleteOptions): Promise<void>;
  /** Removes the manifest and every tag that points to it. Errors: MANIFEST_UNKNOWN, NAME_UNKNOWN, UNSUPPORTED. */
  deleteManifest(repository: string, digest: Digest, options?: DeleteOptions): Promise<void>;
  /** Errors: BLOB_UNKNOWN, NAME_UNKNOWN, UNSUPPORTED. */
  deleteBlob(repository: string, digest: Digest, options?: CallOptions): Promise<void>;
}

export interface ListOptions extends ReadOptions {
  /** Entries that the caller ignores: they need not be read, and may be in the list or not. */
  readonly unwanted?: ReadonlySet<string>;
}

export interface ReferrerOptions extends ReadOptions {
  /** Only referrers whose digest sorts after this text. */
  readonly after?: string;
}

export interface RegistryLister {
  /** Names of repositories after `after`, in byte order. */
  repositories(after?: string, options?: CallOptions): AsyncIterable<string>;
  /** Tags after `after`, in byte order. Errors (thrown at the first step): NAME_UNKNOWN. */
  tags(repository: string, after?: string, options?: ListOptions): AsyncIterable<string>;
  /**
   * Descriptors, with artifactType and annotations, of the manifests whose `subject` is this digest; only those of one type if that is given.
   * Sorted by digest, without duplicates. An unknown digest is no error.
   */
  referrers(
    repository: string,
    subject: Digest,
    artifactType?: string,
    options?: ReferrerOptions,
  ): AsyncIterable<Descriptor>;
}

/** What is needed to read images and everything that refers to them. */
export type ImageReader = RegistryReader & Pick<RegistryLister, 'referrers'>;

export interface Registry extends RegistryReader, RegistryWriter, RegistryLister {
  /**
   * Bytes of this blob that the next `putBlob` will not ask for: those of an interrupted attempt, or all of them if another repository has the blob and
   * a link suffices. 0 if nothing is kept.
   */
  partialBytes(digest: Digest): Promise<number>;
}
