// The object-store contract: what a driver (file system, memory, S3) must do for StoredRegistry. Keys are `/`-separated paths without `.` and `..`.
import type { Bytes } from '../io/streams/bytes.ts';

export interface ObjectInfo {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  readonly modified: Date;
  /** Changes when the object is replaced or written to; may also change on a `touch`. */
  readonly version: string;
}

export interface Range {
  readonly from?: number;
  /** Offset after the last byte. */
  readonly to?: number;
}

/** Unfinished bytes, which are visible under no key until they are published. One owner at a time. */
export interface Stage extends AsyncDisposable {
  readonly id: string;
  /** Bytes so far, including those of earlier owners. */
  readonly size: number;
  /** The part of `size` that survives the end of this process. */
  readonly written: number;
  /** The part of `size` that a `sync`, of this owner or an earlier one, has made durable. */
  readonly synced: number;
  /** Takes ownership of the chunk: it may be written later, so its memory must not be reused. Errors: also those of earlier writes. */
  append(chunk: Uint8Array): Promise<void>;
  /** Everything appended survives a power cut when it resolves. Errors: those of the writes; `size` is then what was written. */
  sync(): Promise<void>;
  /** The bytes so far, from the start. */
  read(): Bytes;
  /** Drops the bytes after the first `size`. */
  truncate(size: number): Promise<void>;
  /**
   * Makes the bytes visible under `key` in one step, replacing what is there, and ends the stage. With `ifAbsent` it returns false if the key exists, and
   * the stage goes on.
   */
  publish(key: string, options?: PublishOptions): Promise<boolean>;
  /** Removes the bytes and ends the stage. Disposed without `discard` or `publish`, a stage keeps them for the next owner. */
  discard(): Promise<void>;
}

export interface PublishOptions {
  readonly ifAbsent?: boolean;
  /**
   * What is on disk when it resolves: bytes and name; only the bytes (always before they are visible), for callers that make several names durable at once
   * with `sync`; or neither. Default: `name`.
   */
  readonly durable?: 'name' | 'bytes' | 'nothing';
}

export interface StageOptions {
  /** Returns `undefined` if there is no such stage. */
  readonly mustExist?: boolean;
  readonly signal?: AbortSignal;
}

/** How many stages without an owner may be left. */
export interface SweepLimits {
  /** Removes those that were last written to before this. */
  readonly before: Date;
  /** At most so many; those written to last stay. */
  readonly most?: number;
  /** At most so many bytes together; the one written to last stays anyway. */
  readonly bytes?: number;
  /** What was begun or written to after this stays, whatever the other limits: it is probably about to be continued. */
  readonly spared?: Date;
}

export interface ObjectStore {
  /** Returns `undefined` if there is no such key. */
  get(key: string, range?: Range): Promise<Bytes | undefined>;
  stat(key: string): Promise<ObjectInfo | undefined>;
  /**
   * Writes a small object atomically: readers see the old one or the new one. With `ifAbsent`, returns false and changes nothing if the key exists;
   * during such a write, and after a kill during it, readers may see a part of a new object. So it is only for objects that show whether they are whole.
   * It survives a power cut once `sync` has resolved; before, there is the old object, or for a new key perhaps an empty one. With `volatile`
   * a power cut may leave an empty object even where there was one before: for what can be made again.
   */
  put(
    key: string,
    bytes: Uint8Array,
    options?: { readonly ifAbsent?: boolean; readonly volatile?: boolean },
  ): Promise<boolean>;
  /**
   * Makes these keys and their content durable: the barrier before something that relies on them is written.
   * One call for many keys lets their syncs run in parallel and share the disk's flushes. Unknown keys are no error.
   * With `namesOnly`, the content is on disk already; names that this process knows to be durable then cost nothing.
   */
  sync(keys: readonly string[], options?: { readonly namesOnly?: boolean }): Promise<void>;
  /** Marks the object as just used, so that garbage collection spares it. */
  touch(key: string): Promise<void>;
  /**
   * Opens a stage. If the id exists, continues with its bytes; waits while a live owner, in this or another
   * process, has it. A dead owner's stage is taken over.
   */
  stage(id: string, options?: StageOptions): Promise<Stage | undefined>;
  /** Bytes in a stage, without taking it; 0 if there is none. */
  staged(id: string): Promise<number>;
  /** Discards stages without an owner until the limits hold. Its work is linear in their number. Returns the bytes of all that are left, owned or not. */
  sweep(limits: SweepLimits): Promise<number>;
  /** Total capacity in bytes, used or not; `undefined` if it is unlimited or unknown. */
  capacity(): Promise<number | undefined>;
  /** All keys with this prefix (which ends in `/`), in byte order, after `after`. */
  list(prefix: string, after?: string): AsyncIterable<ObjectInfo>;
  /** Whether any key has this prefix (which ends in `/`). Its cost does not depend on how many have. */
  any(prefix: string): Promise<boolean>;
  /** Names one level below `prefix`, in byte order, like `readdir`. A name with keys below it ends in `/`. */
  children(prefix: string): Promise<readonly string[]>;
  /** Absent keys are no error. The deletion survives a power cut once `sync` of these keys, or of others below the prefix, has resolved. */
  delete(keys: readonly string[]): Promise<void>;
  /** Deletes all keys with this prefix (which ends in `/`). */
  deleteAll(prefix: string): Promise<void>;
}
