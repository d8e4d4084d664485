// What `lreg_rm` takes along: manifests of the embedded registry that nothing needs once a name has gone.
import { cosignTags } from '../oci/cosign-tags.ts';
import type { Digest } from '../oci/digest.ts';
import { isImagesError } from '../oci/errors.ts';
import { decodeManifest, type Manifest, successors } from '../oci/manifest.ts';
import type { EmbeddedStore } from '../storage/embedded-store.ts';
import { listManifests } from '../storage/list-manifests.ts';
import { spellings } from '../storage/name-lookup.ts';
import { callOptions } from './settings.ts';

export interface Removal {
  readonly store: EmbeddedStore;
  readonly repository: string;
  readonly signal?: AbortSignal;
}

/** The children of an index, and what is attached to the manifest: signatures and other referrers. */
export async function belongingTo(digest: Digest, removal: Removal): Promise<readonly Digest[]> {
  const { store, repository } = removal;
  const manifest = await find(digest, removal);
  const children = manifest ? successors(manifest).manifests : [];
  const attached = await Array.fromAsync(store.stripped.referrers(repository, digest, undefined, callOptions(removal)));
  return [...children, ...attached].map((descriptor) => descriptor.digest);
}

/**
 * Removes those manifests, and what belonged to them, that no tag and no recorded name means, no index lists, and that are not attached
 * to another one that is there. Their blobs stay for the garbage collection.
 */
export async function removeUnneeded(digests: readonly Digest[], removal: Removal): Promise<void> {
  const { store, repository } = removal;
  for (const digest of digests) {
    if (await find(digest, removal)) {
      if (await isNeeded(digest, removal)) continue;
      const belonging = await belongingTo(digest, removal);
      await store.stripped.deleteManifest(repository, digest, callOptions(removal));
      await removeUnneeded(belonging, removal);
    }
    await removeUnneeded(await withoutCosignTags(digest, removal), removal);
  }
}

/** What cosign attached to a manifest that has gone loses the tags that only its subject gave a meaning. */
async function withoutCosignTags(subject: Digest, { store, repository, ...call }: Removal): Promise<readonly Digest[]> {
  const untagged: Digest[] = [];
  for (const tag of cosignTags(subject)) {
    const descriptor = await store.stripped.statManifest(repository, tag, call);
    if (!descriptor) continue;
    await store.registry.deleteTag(repository, tag, call);
    untagged.push(descriptor.digest);
  }
  return untagged;
}

async function isNeeded(digest: Digest, removal: Removal): Promise<boolean> {
  return (await isNamed(digest, removal)) || (await isPart(digest, removal));
}

async function isNamed(digest: Digest, { store, repository, ...call }: Removal): Promise<boolean> {
  for await (const tag of store.stripped.tags(repository, undefined, call)) {
    if ((await store.stripped.statManifest(repository, tag, call))?.digest === digest) return true;
  }
  for (const path of spellings(repository)) {
    for await (const name of store.names.ofPath(path)) if (name.digest === digest) return true;
  }
  return false;
}

/** Listed by an index, or attached to a manifest that is there. */
async function isPart(digest: Digest, removal: Removal): Promise<boolean> {
  const { store, repository } = removal;
  for await (const other of listManifests(store.objects, repository)) {
    const manifest = await find(other, removal);
    if (!manifest) continue;
    if (other === digest && manifest.subject && (await find(manifest.subject.digest, removal))) return true;
    if (other !== digest && successors(manifest).manifests.some((child) => child.digest === digest)) return true;
  }
  return false;
}

/** A volume that was taken over may hold manifests of a kind that is not known here: they need nothing. */
async function find(digest: Digest, { store, repository, ...call }: Removal): Promise<Manifest | undefined> {
  try {
    return decodeManifest(await store.stripped.getManifest(repository, digest, call));
  } catch (error) {
    if (isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'MANIFEST_INVALID', 'UNSUPPORTED')) return undefined;
    throw error;
  }
}
