// A walk over all blobs. The folder of a blob is named by its digest, so its name is known without a look into it: one folder is read for each 256th of the blobs.
import { setImmediate } from 'node:timers/promises';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { KEPT_MS } from '../blobs.ts';
import { BLOBS, blobKey } from '../layout/registry-keys.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { ObjectInfo } from '../objects.ts';
import { removeLoneMark, removeLoneRecords } from './lone-records.ts';

/** Looked at together: where each look waits, some wait at the same time. */
const AT_ONCE = 16;
/** Where no look waits, others get their turn after so many. */
const TURN = 256;

/** In the order of their digests, after this one. What has had no blob for a day is removed: marks on the way, records at the end. */
export async function* allBlobs(
  objects: ObjectStore,
  now: Date,
  after = '',
): AsyncGenerator<readonly [digest: Digest, info: ObjectInfo]> {
  const before = new Date(now.getTime() - KEPT_MS);
  async function look(digest: Digest): Promise<ObjectInfo | undefined> {
    const info = await objects.stat(blobKey(digest));
    if (!info) await removeLoneMark(objects, digest, before);
    return info;
  }

  let looked = 0;
  for (const algorithm of await objects.children(BLOBS)) {
    for (const first of await objects.children(`${BLOBS}${algorithm}`)) {
      const name = `${algorithm.slice(0, -1)}:`;
      // The last digest that may be in this folder.
      if (`${name}${first.slice(0, -1)}g` < after) continue;
      const folders = await objects.children(`${BLOBS}${algorithm}${first}`);
      const digests = folders
        .filter((folder) => folder.startsWith(first.slice(0, -1)))
        .map((folder) => `${name}${folder.slice(0, -1)}`)
        .filter((digest) => digest > after);
      for (let at = 0; at < digests.length; at += AT_ONCE) {
        looked += AT_ONCE;
        if (looked % TURN === 0) await setImmediate();
        const some = digests.slice(at, at + AT_ONCE).filter(isDigest);
        const infos = await Promise.all(some.map(look));
        for (const [index, info] of infos.entries()) if (info) yield [some[index] as Digest, info];
      }
    }
  }
  await removeLoneRecords(objects, before);
}
