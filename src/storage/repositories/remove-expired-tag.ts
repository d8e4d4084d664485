// Removes a tag that nobody asked to remove, unless somebody pushes it at the same moment. A push marks the tag's own record of the digest, then moves the tag; so who
// removes the tag looks at these records afterwards. Who pins a tag looks afterwards whether it is there; so who removes the tag looks for a pin afterwards. In any
// order, one of the two sees the other.
import type { Digest } from '../../oci/digest.ts';
import { linkBytes, parseLink, tagIndexPrefix, tagLinkKey } from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';
import { manifestHistory } from './manifest-history.ts';
import { pinsIn } from './pins.ts';

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

/** Returns false for a tag that was pushed since it was seen, or that is pushed or pinned now: it stays, or is there again. */
export async function removeExpiredTag(objects: Objects, repository: string, seen: SeenTag): Promise<boolean> {
  const { tag, digest } = seen;
  const key = tagLinkKey(repository, tag);
  const history = manifestHistory(objects);
  if ((await objects.stat(key))?.version !== seen.version) return false;
  await history.losesTag(repository, digest);
  await objects.delete([key]);
  const records = await Array.fromAsync(objects.list(tagIndexPrefix(repository, tag)));
  const pushed = records
    .filter(({ modified }) => modified > seen.pushed && Math.abs(Date.now() - modified.getTime()) < UNDER_WAY)
    .toSorted((a, b) => b.modified.getTime() - a.modified.getTime());
  const putBack = async (again: Digest) => {
    await history.getsTag(repository, again);
    await objects.put(key, linkBytes(again), { ifAbsent: true });
    await objects.sync([key]);
    return false;
  };
  for (const record of pushed) {
    const again = parseLink(await objects.get(record.key));
    if (again !== undefined) return await putBack(again);
  }
  if (await pinsIn(objects).has({ repository, reference: tag })) return await putBack(digest);
  // Not the whole folder: the tag may be there again.
  await objects.delete(records.map((record) => record.key));
  await objects.sync([key]);
  return true;
}
