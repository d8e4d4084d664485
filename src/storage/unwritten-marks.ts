// Marks of blobs (blob-trust) on a store that cannot be written to now: this process remembers what it could not write down, so that a blob is not hashed anew
// at each look. It counts as long as blob and mark are those that it was found out of: what others write counts more.
import type { Digest } from '../oci/digest.ts';
import type { ObjectStore } from './object-store.ts';

export interface UnwrittenMark {
  /** What the mark would say; `undefined`: there would be none. */
  readonly text: string | undefined;
  /** The blob's version. */
  readonly blob: string;
  /** The version of the mark that is there; `undefined` where there is none. */
  readonly mark: string | undefined;
}

/** In a store. The oldest go: those blobs are hashed once more. */
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
