// The object-store contract: what a driver (file system, memory, S3) must do for StoredRegistry. Keys are `/`-separated paths without `.` and `..`.
import type { Bytes } from '../io/streams/bytes.ts';

export interface ObjectInfo {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  readonly modified: Date;
  /** Another one once the object has been replaced or written to; perhaps also after a `touch`. */
  readonly version: string;
}

export interface Range {
  readonly from?: number;
  /** The byte after the last one. */
  readonly to?: number;
}

/** Bytes on their way in: not visible under any key until published. One owner at a time. */
export interface Stage extends AsyncDisposable {
  readonly id: string;
  /** Bytes held so far; what an earlier owner left is counted. */
  readonly size: number;
  /** Of these, the bytes that outlive this process. */
  readonly written: number;
  /** Of these, the bytes that the last `sync`, this owner's or an earlier one's, has made durable. */
  readonly synced: number;
  /** Takes the chunk over: it may be written later, so its memory must not be used again. Errors: also those of earlier writes. */
  append(chunk: Uint8Array): Promise<void>;
  /** All that was appended outlives this process and a power cut when it returns. Errors: those of the writes; `size` is then what was written. */
  sync(): Promise<void>;
  /** What is held so far, from the start. */
  read(): Bytes;
  /** Drops what is held beyond `size` bytes. */
  truncate(size: number): Promise<void>;
  /**
   * Visible under `key` in one step; replaces what is there. Ends the stage. With `ifAbsent`: false where the key exists, and the stage goes on.
   */
  publish(key: string, options?: PublishOptions): Promise<boolean>;
  /** Removes what is held. Ends the stage. Disposing without it (or publish) keeps the bytes for the next owner. */
  discard(): Promise<void>;
}

export interface PublishOptions {
  readonly ifAbsent?: boolean;
  /**
   * What is on disk when it returns: bytes and name; the bytes alone, always before they are visible, for who makes several names durable at once by `sync`; or neither.
   * By default `name`.
   */
  readonly durable?: 'name' | 'bytes' | 'nothing';
}

export interface StageOptions {
  /** `undefined` where there is none. */
  readonly mustExist?: boolean;
  readonly signal?: AbortSignal;
}

/** What may be left of stages that nobody owns. */
export interface SweepLimits {
  /** None that was last written to earlier. */
  readonly before: Date;
  /** At most so many; those written to last stay. */
  readonly most?: number;
  /** In all at most so many bytes, but for the one that was written to last. */
  readonly bytes?: number;
  /** What was begun or written to later stays, whatever number and bytes come to: somebody is about to go on with it. */
  readonly spared?: Date;
}

export interface ObjectStore {
  /** `undefined` where there is no such key. */
  get(key: string, range?: Range): Promise<Bytes | undefined>;
  stat(key: string): Promise<ObjectInfo | undefined>;
  /**
   * A small object. Replaced in one step: readers see the old one or the new. With `ifAbsent`, false and no change where the key exists;
   * while a new one is written, and after a kill in that moment, readers may see a beginning of it: for objects that show whether they are whole.
   * Survives a power cut once `sync` has returned; until then there is what was before, or for a new key perhaps an empty object. With `volatile`
   * it may be empty also where there was something before: for what is made again then.
   */
  put(
    key: string,
    bytes: Uint8Array,
    options?: { readonly ifAbsent?: boolean; readonly volatile?: boolean },
  ): Promise<boolean>;
  /**
   * Makes what these keys hold durable, and that they exist: the barrier before something that relies on them is written.
   * One for many keys: their syncs run side by side and share the disk's flushes. Unknown keys are no error.
   * With `namesOnly`, what they hold is on disk already: names that this process knows to be there, too, cost nothing.
   */
  sync(keys: readonly string[], options?: { readonly namesOnly?: boolean }): Promise<void>;
  /** Marks the object as just used, so that garbage collection spares it. */
  touch(key: string): Promise<void>;
  /**
   * Opens a stage. With an id of an earlier one, goes on with its bytes; waits while a live owner, here or in another
   * process, holds it (a dead one's lock is taken over).
   */
  stage(id: string, options?: StageOptions): Promise<Stage | undefined>;
  /** Bytes that a stage holds, without owning it: 0 where there is none. */
  staged(id: string): Promise<number>;
  /** Discards stages that nobody owns, down to the limits. Its work grows with their number. Returns the bytes of all that are left, owned or not. */
  sweep(limits: SweepLimits): Promise<number>;
  /** Bytes that there is room for in all, used or not; `undefined` where there is no such limit. */
  capacity(): Promise<number | undefined>;
  /** All keys that begin with `prefix` (which ends in `/`), in byte order, after `after`. */
  list(prefix: string, after?: string): AsyncIterable<ObjectInfo>;
  /** Whether some key begins with `prefix` (which ends in `/`): however many do. */
  any(prefix: string): Promise<boolean>;
  /** The names one level below `prefix`: like `readdir`, in byte order; a name with more below it ends in `/`. */
  children(prefix: string): Promise<readonly string[]>;
  /** Deleting what is not there is no error. Survives a power cut once `sync` of these keys, or of some below the prefix, has returned. */
  delete(keys: readonly string[]): Promise<void>;
  /** Deletes all keys that begin with `prefix` (which ends in `/`). */
  deleteAll(prefix: string): Promise<void>;
}
