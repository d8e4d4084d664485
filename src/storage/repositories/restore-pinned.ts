// Who deletes a tag that is pinned at the same moment puts it back. If it is killed in between, the tag is pinned and gone: what its records say last is put back later.

import { isDigest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { linkBytes, tagLinkKey } from '../layout/registry-keys.ts';
import type { Store } from '../store.ts';
import { manifestHistory } from './manifest-history.ts';
import { type Pin, pinsIn } from './pins.ts';
import { restoreManifest } from './restore-manifest.ts';
import { lastState } from './tag-in-motion.ts';

/**
 * Puts back pinned tags that have gone, but whose records are there. Whoever removes a tag as he should removes its records, too. Returns false if the disk is too
 * full for that: what has no tag must not go then.
 */
export async function restorePinned(store: Store): Promise<boolean> {
  try {
    for await (const pin of pinsIn(store.objects).all()) await restoreTag(store, pin);
    return true;
  } catch (error) {
    if (!isImagesError(error, 'NO_SPACE')) throw error;
    return false;
  }
}

async function restoreTag(store: Store, { repository, reference: tag }: Pin): Promise<void> {
  const { objects } = store;
  const key = tagLinkKey(repository, tag);
  // A link that is there and garbled is for a check to mend.
  if (isDigest(tag) || (await objects.stat(key))) return;
  const digest = await lastState(objects, repository, tag);
  if (digest === undefined) return;
  await restoreManifest(store, repository, digest);
  await manifestHistory(objects).getsTag(repository, digest);
  await objects.put(key, linkBytes(digest), { ifAbsent: true });
  await objects.sync([key]);
}
