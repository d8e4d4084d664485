// Gives a manifest back to a repository from which it was just removed, because something that was pushed meanwhile relies on it.

import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { decodeManifest, MAX_MANIFEST_SIZE, rawManifest, successors } from '../../oci/manifest.ts';
import { revisionLinkKey } from '../layout/registry-keys.ts';
import type { Store } from '../store.ts';
import { ensureLink } from './links.ts';
import { wholeContent } from './read-blob.ts';
import { recordReferrer } from './stored-referrers.ts';

/** Links it, lists it among the referrers of its subject, and uses its blobs, so that they are not collected. Does nothing if its content has gone. */
export async function restoreManifest(store: Store, repository: string, digest: Digest): Promise<void> {
  const { objects, blobs } = store;
  if (!(await blobs.use(digest, { durable: true }))) return;
  const link = revisionLinkKey(repository, digest);
  await ensureLink(objects, link, digest);
  await objects.sync([link]);
  const bytes = await wholeContent(blobs, digest, MAX_MANIFEST_SIZE);
  if (!bytes) return;
  try {
    const raw = rawManifest(bytes);
    const manifest = decodeManifest(raw);
    for (const blob of successors(manifest).blobs) await blobs.use(blob.digest);
    await recordReferrer(objects, repository, raw, manifest);
  } catch (error) {
    if (!isImagesError(error, 'MANIFEST_INVALID', 'UNSUPPORTED')) throw error;
  }
}
