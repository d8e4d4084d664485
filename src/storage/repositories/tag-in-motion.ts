// Who removes a tag reads it, then removes it, and somebody may push it in between. A push renews the tag's own record of the digest (`index/`), then moves the tag:
// so who removes it looks at these records afterwards, and in any order one of the two sees the other.
import type { Digest } from '../../oci/digest.ts';
import { parseLink, tagIndexPrefix, tagLinkKey } from '../layout/registry-keys.ts';
import type { ObjectInfo, Objects } from '../objects.ts';
import { readLink } from './links.ts';

export interface SeenTag {
  readonly tag: string;
  readonly digest: Digest;
  /** Of the tag's link: it changes with each push. */
  readonly version: string;
  /** When the tag was last pushed. */
  readonly pushed: Date;
}

/** In milliseconds. A push moves its tag moments after it has renewed the record. An older record belongs to a push that was broken off, or was copied with the store. */
const UNDER_WAY = 3600 * 1000;

/** The tag as it is before it is removed; `undefined` if there is none. */
export async function seenTag(objects: Objects, repository: string, tag: string): Promise<SeenTag | undefined> {
  const key = tagLinkKey(repository, tag);
  // In this order: a push in between is seen afterwards.
  const info = await objects.stat(key);
  const digest = info && (await readLink(objects, key));
  return digest && { tag, digest, version: info.version, pushed: info.modified };
}

export interface TagRecords {
  /** What says which states the tag had. */
  readonly keys: readonly string[];
  /** The digests that were pushed since the tag was seen, the last one first. */
  readonly pushed: AsyncIterable<Digest>;
}

/** To be called when the tag's link has gone. */
export async function tagRecords(objects: Objects, repository: string, seen: SeenTag): Promise<TagRecords> {
  const records = await Array.fromAsync(objects.list(tagIndexPrefix(repository, seen.tag)));
  const now = Date.now();
  const pushed = records
    .filter(({ modified }) => modified > seen.pushed && Math.abs(now - modified.getTime()) < UNDER_WAY)
    .toSorted(byTime);
  return { keys: records.map(({ key }) => key), pushed: digestsOf(objects, pushed) };
}

/** The last state of a tag whose link has gone; `undefined` if nothing says it. */
export async function lastState(objects: Objects, repository: string, tag: string): Promise<Digest | undefined> {
  const records = await Array.fromAsync(objects.list(tagIndexPrefix(repository, tag)));
  for await (const digest of digestsOf(objects, records.toSorted(byTime))) return digest;
  return undefined;
}

/** The latest first. */
function byTime(a: ObjectInfo, b: ObjectInfo): number {
  return b.modified.getTime() - a.modified.getTime();
}

/** Garbled records say nothing. */
async function* digestsOf(objects: Objects, records: readonly ObjectInfo[]): AsyncGenerator<Digest> {
  for (const { key } of records) {
    const digest = parseLink(await objects.get(key));
    if (digest !== undefined) yield digest;
  }
}
