// Removes a tag that nobody asked to remove, unless somebody pushes it at the same moment (tag-in-motion.ts). Who pins a tag looks afterwards whether it is there; so
// who removes the tag looks for a pin afterwards. In any order, one of the two sees the other.
import type { Digest } from '../../oci/digest.ts';
import { linkBytes, tagLinkKey } from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';
import { manifestHistory } from './manifest-history.ts';
import { pinsIn } from './pins.ts';
import { type SeenTag, tagRecords } from './tag-in-motion.ts';

/** Returns false for a tag that was pushed since it was seen, or that is pushed or pinned now: it stays, or is there again. */
export async function removeExpiredTag(objects: Objects, repository: string, seen: SeenTag): Promise<boolean> {
  const { tag, digest } = seen;
  const key = tagLinkKey(repository, tag);
  const history = manifestHistory(objects);
  if ((await objects.stat(key))?.version !== seen.version) return false;
  await history.losesTag(repository, digest);
  await objects.delete([key]);
  const records = await tagRecords(objects, repository, seen);
  const putBack = async (again: Digest) => {
    await history.getsTag(repository, again);
    await objects.put(key, linkBytes(again), { ifAbsent: true });
    await objects.sync([key]);
    return false;
  };
  for await (const again of records.pushed) return await putBack(again);
  if (await pinsIn(objects).has({ repository, reference: tag })) return await putBack(digest);
  // Not the whole folder: the tag may be there again.
  await objects.delete(records.keys);
  await objects.sync([key]);
  return true;
}
