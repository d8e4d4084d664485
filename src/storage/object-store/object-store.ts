// Objects and stages: what the drivers that have files, or something like them, are made of (the directory, memory). A stage becomes an object in one step, which
// not every store can do; so only the drivers know this contract (staged-store.ts), and all others know objects.ts and blobs.ts.
import type { Bytes } from '../../io/streams/bytes.ts';
import type { DigestAlgorithm } from '../../oci/digest.ts';
import type { Range, ReadPace, SweepLimits } from '../blobs.ts';
import type { Objects } from '../objects.ts';

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
  /** Everything appended is written when it resolves, and survives the end of this process. */
  flush(): Promise<void>;
  /** The bytes so far, from the start. */
  read(): Bytes;
  /** Reads what is written, beside the owner, and when the stage has ended as well. */
  reader(): Promise<StageReader>;
  /** Drops the bytes after the first `size`. */
  truncate(size: number): Promise<void>;
  /**
   * Makes the bytes visible under `key` in one step, replacing what is there, and ends the stage. The object's time is that of now, to within a minute, however
   * old the bytes are. With `ifAbsent` it returns false if the key exists, and
   * the stage goes on.
   */
  publish(key: string, options?: PublishOptions): Promise<boolean>;
  /** Removes the bytes and ends the stage. Disposed without `discard` or `publish`, a stage keeps them for the next owner. */
  discard(): Promise<void>;
}

/** Disposing of it frees the bytes, if the stage was discarded. */
export interface StageReader extends AsyncDisposable {
  /** Fills the buffer from this position on. Fails if there are fewer bytes. */
  read(buffer: Uint8Array, position: number): Promise<void>;
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
  /** Nobody else knows the id yet. */
  readonly isNew?: boolean;
  /** Its next owner is probably this process, in a moment: until then, others may have to wait for it, for a second at most. */
  readonly rests?: boolean;
  readonly signal?: AbortSignal;
}

export interface ObjectStore extends Omit<Objects, 'get' | 'sync'> {
  /** Returns `undefined` if there is no such key. */
  get(key: string, range?: Range): Promise<Bytes | undefined>;
  /** The hash of the whole object in hexadecimal, for large ones: it is computed in a thread of its own. `undefined` if there is no such key. Of stores whose process serves nobody. */
  readonly hash?: (key: string, algorithm: DigestAlgorithm, pace?: ReadPace) => Promise<string | undefined>;
  /** Whether a look that waits for nothing shows that there is no such object. Of stores that have `kept`. */
  readonly isSurelyAbsent?: (key: string) => boolean;
  /** As `Objects.sync`. With `namesOnly`, the content is on disk already; names that this process knows to be durable then cost nothing. */
  sync(keys: readonly string[], options?: { readonly namesOnly?: boolean }): Promise<void>;
  /**
   * Gives the object another name, in one step, with its times. Returns false if there is no such object. With `ifAbsent`, an object of the new name stays
   * as it is, and the old name goes anyway; nobody else may write to the old name then.
   */
  move(from: string, to: string, options?: { readonly ifAbsent?: boolean }): Promise<boolean>;
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
}
