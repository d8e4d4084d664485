// Marks of blobs (blob-marks) for a store that cannot be written to: this process remembers what it could not record, so that a blob is not hashed
// at each request. An entry is valid while blob and mark are unchanged; what others write takes precedence.
import type { Digest } from '../../oci/digest.ts';
import type { ObjectStore } from '../object-store/object-store.ts';

export interface UnwrittenMark {
  /** What the mark would say; `undefined` if it would have been removed. */
  readonly text: string | undefined;
  /** The version of the blob. */
  readonly blob: string;
  /** The version of the existing mark; `undefined` if there is none. */
  readonly mark: string | undefined;
}

/** How many marks are remembered for a store. If the oldest is dropped, its blob is hashed once more. */
const MOST = 10_000;

const stores = new WeakMap<ObjectStore, Map<Digest, UnwrittenMark>>();

export function unwrittenMarks(objects: ObjectStore): ReadonlyMap<Digest, UnwrittenMark> {
  return marksOf(objects);
}

export function rememberMark(objects: ObjectStore, digest: Digest, mark: UnwrittenMark): void {
  const marks = marksOf(objects);
  marks.delete(digest);
  marks.set(digest, mark);
  const [oldest] = marks.keys();
  if (marks.size > MOST && oldest !== undefined) marks.delete(oldest);
}

export function forgetMark(objects: ObjectStore, digest: Digest): void {
  stores.get(objects)?.delete(digest);
}

function marksOf(objects: ObjectStore): Map<Digest, UnwrittenMark> {
  const marks = stores.get(objects) ?? new Map<Digest, UnwrittenMark>();
  stores.set(objects, marks);
  return marks;
}
