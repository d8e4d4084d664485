// The contract for small objects: links, tags, records, indexes. Keys are `/`-separated paths without `.` and `..` (layout/). Large content is in blobs.ts.
// A driver gives both (store.ts). Safety must not rely on `ifAbsent` between processes: not every driver can do it in one step.

export interface ObjectInfo {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  readonly modified: Date;
  /** Changes when the object is replaced or written to; may also change on a `touch`. */
  readonly version: string;
}

export interface PutOptions {
  readonly ifAbsent?: boolean;
  /** A power cut may leave an empty object, even where there was one before: for what can be made again. */
  readonly volatile?: boolean;
}

export interface Objects {
  /** The whole object; `undefined` if there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * What this process remembers of a small object, if a look that waits for nothing shows that it is unchanged. `undefined`: ask `get`. For what is asked for
   * often; a driver that remembers nothing has no such method.
   */
  readonly kept?: (key: string) => Uint8Array | undefined;
  stat(key: string): Promise<ObjectInfo | undefined>;
  /**
   * Writes an object atomically: readers see the old one or the new one. With `ifAbsent`, returns false and changes nothing if the key exists;
   * during such a write, and after a kill during it, readers may see a part of a new object. So it is only for objects that show whether they are whole.
   * It survives a power cut once `sync` has resolved; before, there is the old object, or for a new key perhaps an empty one.
   */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<boolean>;
  /**
   * Makes these keys and their content durable: the barrier before something that relies on them is written.
   * One call for many keys lets their syncs run in parallel and share the disk's flushes. Unknown keys are no error.
   */
  sync(keys: readonly string[]): Promise<void>;
  /** Sets `modified` to now. Returns false if there is no such object. */
  touch(key: string): Promise<boolean>;
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
