// Removes manifests that nothing needs (removal-plan), while others push: what came meanwhile and relies on one of them gets it back.
import { addAll } from '../../oci/add-all.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { successors } from '../../oci/manifest.ts';
import { deleteUntagged, linkedManifest, listManifests } from './list-manifests.ts';
import { manifestHistory } from './manifest-history.ts';
import { pinsIn } from './pins.ts';
import { manifestOf, mapFiles, type Removal, removalParts } from './removal.ts';
import { planRemoval, type RemovalPlan } from './removal-plan.ts';
import { restoreManifest } from './restore-manifest.ts';

/**
 * Removes those of the manifests, and of what belonged to them, that no tag and no recorded name points to, no index lists, and that are not attached
 * to another existing manifest. Blobs are left to garbage collection. The repository is read once, however many manifests there are. Returns those that
 * are gone.
 */
export async function removeUnneeded(digests: readonly Digest[], removal: Removal): Promise<readonly Digest[]> {
  const { store, repository } = removal;
  const plan = await planRemoval(digests, removal);
  for (const tag of plan.tags) await withoutTag(tag, removal);
  if (plan.gone.length === 0) return [];
  const manifests = plan.gone.map((digest) => ({ digest, subject: plan.nodes.get(digest)?.subject }));
  await deleteUntagged(store.objects, repository, manifests);
  await putBack(plan, removal);
  const left = new Set(await Array.fromAsync(listManifests(store.objects, repository)));
  const gone = plan.gone.filter((digest) => !left.has(digest));
  await manifestHistory(store.objects).forget(repository, gone);
  return gone;
}

async function withoutTag(tag: string, removal: Removal): Promise<void> {
  const { store, repository, call } = removalParts(removal);
  try {
    await store.registry.deleteTag(repository, tag, call);
  } catch (error) {
    // One that was pinned meanwhile stays, and `putBack` restores what it needs.
    if (!isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'DENIED')) throw error;
  }
}

/**
 * Restores what got a tag, or is listed by an index, that came after the repository was read, with what belonged to it: an acknowledged push relies on it.
 * What comes after this check notices that the manifest has gone (`putManifest`).
 */
async function putBack({ gone, nodes }: RemovalPlan, removal: Removal): Promise<void> {
  const { store, repository, call } = removalParts(removal);
  const left = new Set(gone);
  const tags = await Array.fromAsync(store.stripped.tags(repository, undefined, call));
  const link = (tag: string) => linkedManifest(store.objects, repository, tag);
  const linked = await mapFiles(tags, link, removal);
  const pending = linked.filter((digest) => digest !== undefined);
  // Who pins a manifest looks afterwards whether it is there.
  addAll(pending, (await pinsIn(store.objects).of(repository)).digests);
  for await (const digest of listManifests(store.objects, repository)) {
    if (nodes.get(digest)?.isThere || left.has(digest)) continue;
    const manifest = await manifestOf(digest, removal);
    if (manifest)
      addAll(
        pending,
        successors(manifest).manifests.map((child) => child.digest),
      );
    if (manifest?.subject) pending.push(manifest.subject.digest);
  }
  for (let digest = pending.pop(); digest !== undefined; digest = pending.pop()) {
    if (!left.delete(digest)) continue;
    await restoreManifest(store, repository, digest);
    const { children = [], attached = [] } = nodes.get(digest) ?? {};
    addAll(pending, children);
    addAll(pending, attached);
  }
}
