// What is left of blobs that have gone, because the process that deleted them was killed: marks, and records of uses and of what layers hold.
import type { Digest } from '../../oci/digest.ts';
import { parseDigestPath } from '../layout/digest-path.ts';
import { blobKey, markKey } from '../layout/registry-keys.ts';
import { ASIDE, damagedKey, LAYER_INDEXES, parseAsideName, USES } from '../layout/store-keys.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { isWritten, markTurn } from './blob-marks.ts';

/**
 * Removes a mark that is older than this, and whose blob is neither there nor put aside.
 * Who writes a blob and its mark holds the same lock, so a mark whose blob is yet to come stays.
 */
export async function removeLoneMark(objects: ObjectStore, digest: Digest, before: Date): Promise<void> {
  const isLone = async () => {
    const mark = await objects.stat(markKey(digest));
    return mark !== undefined && mark.modified < before && (await isGone(objects, digest));
  };
  if (!(await isLone())) return;
  await isWritten(async () => {
    await using _turn = await markTurn(objects, digest);
    if (await isLone()) await objects.delete([markKey(digest), damagedKey(digest)]);
  });
}

/** Removes records that are older than this, and whose blob is neither there nor put aside. A use that is recorded for a blob yet to come is younger. */
export async function removeLoneRecords(objects: ObjectStore, before: Date): Promise<void> {
  for (const prefix of [USES, LAYER_INDEXES]) {
    for await (const { key, modified } of objects.list(prefix)) {
      const digest = parseDigestPath(key.slice(prefix.length));
      if (!digest || modified >= before || !(await isGone(objects, digest))) continue;
      if (!(await isWritten(() => objects.delete([key])))) return;
    }
  }
}

/** Neither there nor put aside. */
async function isGone(objects: ObjectStore, digest: Digest): Promise<boolean> {
  // For a moment, a blob that is moved back may be seen neither under its key nor aside.
  for (let looks = 0; looks < 2; looks++) {
    if (await objects.stat(blobKey(digest))) return false;
    if ((await objects.children(ASIDE)).some((name) => parseAsideName(name) === digest)) return false;
  }
  return true;
}
