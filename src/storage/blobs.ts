// The contract for blobs and manifests: content that is named by its digest, kept once for all repositories. Where a driver keeps it, how it waits for the
// disk, and how it knows whether content can be trusted, are its own affair.
//
// Collecting garbage needs no lock: *use first, then look; put aside, look again, then delete*. A process that is about to refer to a blob calls `use`, which records
// the time and looks afterwards. The collector condemns a blob, so that `use` no longer finds it, and looks afterwards whether somebody has used it since
// it was seen. So one of the two always sees the other (`Blobs.collect`).
import type { Bytes, CallOptions, OpenContent } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest, DigestAlgorithm } from '../oci/digest.ts';
import type { WriteBlobOptions } from '../registry/contract.ts';

export interface StoredBlob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** When it was written or last used, to within `USE_STEP_MS`. */
  readonly used: Date;
  /** Changes with every use that is recorded, and when the content is replaced. */
  readonly version: string;
}

/** A use is recorded unless the last one is more recent than this, so that blobs which are often asked for are not often written to. In milliseconds: half a day. */
export const USE_STEP_MS = 12 * 3600 * 1000;

/** How long a blob is kept after its last use. In milliseconds: a day. Must be longer than `USE_STEP_MS`, for which a further use is not recorded. */
export const KEPT_MS = 2 * USE_STEP_MS;

export interface Range {
  readonly from?: number;
  /** Offset after the last byte. */
  readonly to?: number;
}

/**
 * Writes objects that refer to the blob, once the blob is visible, and returns their keys: they become durable together with the blob, with one wait for
 * the disk.
 */
export type Refer = () => Promise<readonly string[]>;

export interface BlobWriteOptions extends WriteBlobOptions {
  /** False: nothing waits for the disk. A blob that a power cut damages then counts as absent afterwards. Default: true. */
  readonly durable?: boolean;
}

export interface Blobs {
  /** For readers. A blob that is known to be damaged counts as absent; one in doubt is hashed first. */
  find(digest: Digest): Promise<StoredBlob | undefined>;
  /**
   * What this process remembers of a small blob that is there and not in doubt, as `Objects.kept`: at once, or `undefined`. Not verified. For readers.
   */
  readonly kept?: (digest: Digest) => Uint8Array | undefined;
  /**
   * For those that are about to refer to the blob, or to say that it is there. Records the use, then looks: what is found is not collected for a day.
   * `durable`: content and name are on disk when it resolves, so that something durable can refer to it.
   */
  use(digest: Digest, options?: { readonly durable?: boolean }): Promise<StoredBlob | undefined>;
  /**
   * The bytes of the range, not verified; `undefined` if there is no such blob. For callers that have found the blob: known damage is not refused here.
   * A reader that began before the damage became known reads on, and has to verify what it reads.
   */
  read(digest: Digest, range?: Range): Promise<Bytes | undefined>;
  /** All bytes. The stream verifies itself, and wrong bytes are recorded. Errors: DIGEST_INVALID, SIZE_INVALID. */
  readVerified(blob: Pick<Descriptor, 'digest' | 'size'>): Promise<Bytes | undefined>;

  /**
   * Writes the blob unless it is there (as `use` sees it): `open` is called with the number of bytes that an earlier, interrupted attempt left, or not at
   * all. One writer at a time, also of other processes; the next goes on from there or finds the blob. Errors: DIGEST_INVALID, SIZE_INVALID (no wrong
   * bytes are kept), NO_SPACE, READ_ONLY, those of `open`.
   */
  write(blob: Descriptor, open: OpenContent, options?: BlobWriteOptions): Promise<void>;
  /** Writes bytes whose digest the caller has verified, and replaces what is there. They are durable when it resolves, with what `refer` wrote. */
  put(digest: Digest, bytes: Uint8Array, refer: Refer): Promise<void>;
  /** How many bytes of the blob are there already, whole or in part: `write` asks only for the rest. */
  partial(digest: Digest): Promise<number>;
  /** Starts a blob whose digest is known only at its end, written by one process in one go. Nothing waits for the disk. */
  start(): Promise<StartedBlob>;
  /**
   * A session in which bytes arrive piece by piece, from any process; begins a new one unless `mustExist`. Waits while a live owner has it; a dead owner's
   * session is taken over. Returns `undefined` if there is none.
   */
  session(id: string, options?: SessionOptions): Promise<BlobSession | undefined>;
  /** Removes sessions and parts without an owner until the limits hold. Its work is linear in their number. Returns the bytes of all that are left, owned or not. */
  sweep(limits: SweepLimits): Promise<number>;
  /** Total capacity in bytes, used or not; `undefined` if it is unlimited or unknown. */
  capacity(): Promise<number | undefined>;

  /** Says that a reader met wrong bytes: the next request for the blob hashes it. */
  doubt(digest: Digest): Promise<void>;
  /** The blobs that are known to be damaged. */
  damaged(): Promise<ReadonlySet<Digest>>;

  /**
   * Hashes the blob, whatever is known of it, and records what it finds: from then on a damaged blob counts as absent. Unreadable bytes count as
   * wrong. No lock is held while it hashes, so nobody waits for it. Returns `undefined` if there is no such blob (any more).
   */
  check(digest: Digest, pace?: ReadPace): Promise<CheckedBlob | undefined>;

  /** All blobs, whole or not, in the order of their digests, after this one; also those that a killed collector was about to delete. */
  all(after?: Digest): AsyncIterable<StoredBlob>;
  /**
   * Deletes those of these blobs that nobody has used since they were seen by `all` or `find`, nor within `KEPT_MS`. Safe while others write and use blobs,
   * and with other collectors; after a kill, the next `all` finds again what was about to be deleted. Returns those that were deleted.
   */
  collect(seen: readonly StoredBlob[], options?: CollectOptions): Promise<readonly StoredBlob[]>;
}

export interface CollectOptions {
  /**
   * For references by programs that record no use. It is called when these blobs are condemned, so that such a program finds none of them, and returns which
   * stay all the same: those that somebody has begun to refer to since the caller chose them.
   */
  readonly lastLook?: () => Promise<(digest: Digest) => boolean>;
}

export type CheckedBlob = 'whole' | 'damaged';

/** Called with the number of bytes after each read. It may wait, to leave the disk to others, or throw, which ends the reading. */
export type ReadPace = (bytes: number) => Promise<void> | undefined;

export interface SessionOptions extends CallOptions {
  readonly mustExist?: boolean;
  /** Nobody else knows the id yet. */
  readonly isNew?: boolean;
  /** Algorithm of the digest at the end, if it is known. The bytes are then hashed as they come and not read a second time. */
  readonly algorithm?: DigestAlgorithm;
}

/** Disposed without `commit` or `cancel`, it keeps its bytes for the next owner. */
export interface BlobSession extends AsyncDisposable {
  readonly id: string;
  /** Bytes so far, including those of earlier owners. */
  readonly size: number;
  /** The part of `size` that survives the end of this process. */
  readonly written: number;
  /**
   * Appends bytes. After a failure, those that arrived are kept. The bytes are durable when it resolves or fails, unless `isLast` says that `commit`
   * follows; `length`, how many bytes will come. Errors: those of the body and of writing.
   */
  append(body: Bytes, options?: { readonly isLast?: boolean; readonly length?: number }): Promise<void>;
  /** Verifies and publishes the blob; it and what `refer` wrote are durable when it resolves. Errors: DIGEST_INVALID (the session is discarded). */
  commit(digest: Digest, refer: Refer): Promise<void>;
  /** Removes the bytes and ends the session. */
  cancel(): Promise<void>;
}

/** Disposed without `finish`, it leaves nothing behind. */
export interface StartedBlob extends AsyncDisposable {
  /** Takes ownership of the chunk. */
  append(chunk: Uint8Array): Promise<void>;
  /** `digest` is what the caller has computed over the bytes. */
  finish(digest: Digest): Promise<void>;
}

/** How many sessions without an owner may be left. */
export interface SweepLimits {
  /** Those last written to before this are removed. */
  readonly before: Date;
  /** The same for all but parts of blobs whose digest is known: sessions, and what a killed builder left. Default: `before`. */
  readonly sessionsBefore?: Date;
  /** How many are kept; those written to last. */
  readonly most?: number;
  /** How many bytes they may have together. The one written to last is kept anyway. */
  readonly bytes?: number;
  /** Those begun or written to after this are kept, whatever the other limits: they are probably about to be continued. */
  readonly spared?: Date;
}
