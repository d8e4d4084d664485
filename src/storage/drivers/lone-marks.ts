// Marks whose blob has gone. A walk over all blobs meets their folders.
import type { Digest } from '../../oci/digest.ts';
import { blobKey, markKey } from '../layout/registry-keys.ts';
import { ASIDE, damagedKey, parseAsideName } from '../layout/store-keys.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { isWritten, markTurn } from './blob-marks.ts';

/**
 * Removes a mark that is older than this, and whose blob is neither there nor put aside: the process that deleted the blob was killed.
 * Who writes a blob and its mark holds the same lock, so a mark whose blob is yet to come stays.
 */
export async function removeLoneMark(objects: ObjectStore, digest: Digest, before: Date): Promise<void> {
  const isLone = async () => {
    const mark = await objects.stat(markKey(digest));
    if (!mark || mark.modified >= before) return false;
    // For a moment, a blob that is moved back may be seen neither under its key nor aside.
    for (let looks = 0; looks < 2; looks++) {
      if ((await objects.children(ASIDE)).some((name) => parseAsideName(name) === digest)) return false;
      if (await objects.stat(blobKey(digest))) return false;
    }
    return true;
  };
  if (!(await isLone())) return;
  await isWritten(async () => {
    await using _turn = await markTurn(objects, digest);
    if (await isLone()) await objects.delete([markKey(digest), damagedKey(digest)]);
  });
}
