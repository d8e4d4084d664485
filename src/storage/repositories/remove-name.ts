// Removing a name of the embedded registry, and with it what nothing else needs.
import type { Digest } from '../../oci/digest.ts';
import { successors } from '../../oci/manifest.ts';
import { listTagStates } from './list-manifests.ts';
import { manifestHistory } from './manifest-history.ts';
import { manifestOf, type Removal, removalParts } from './removal.ts';
import { removeUnneeded } from './remove-unneeded.ts';

export interface Removed {
  /** The digest that the name points to. */
  readonly digest: Digest;
  /** Set if the name is a tag. */
  readonly tag?: string | undefined;
}

/**
 * Removes a name with `remove`, then everything that only it needed: the manifest, the children of an index, attached manifests, and what only an
 * earlier value of the tag left behind. Returns false if `remove` says that there was no such name.
 */
export async function withUnneeded(
  { digest, tag }: Removed,
  removal: Removal,
  remove: () => Promise<boolean>,
): Promise<boolean> {
  const left = await removeName({ digest, tag }, removal, remove);
  if (!left) return false;
  await removeUnneeded(left, removal);
  return true;
}

/** Removes the name alone, with `remove`. Returns what nothing may need now, for `removeUnneeded`; `undefined` if `remove` says that there was no such name. */
export async function removeName(
  { digest, tag }: Removed,
  removal: Removal,
  remove: () => Promise<boolean>,
): Promise<readonly Digest[] | undefined> {
  const { store, repository, call } = removalParts(removal);
  const belonging = await belongingTo(digest, removal);
  const states = tag === undefined ? [] : await formerStates(tag, removal);
  if (!(await remove())) return undefined;
  // The tag may be there again, for another host's image. It is the same tag, so its former states are still needed.
  const isTagLeft = tag !== undefined && (await store.stripped.statManifest(repository, tag, call)) !== undefined;
  return [digest, ...belonging, ...(isTagLeft ? [] : states)];
}

/** What the tag was and is, but for what somebody asked for by its digest: that is wanted for its own sake. */
export async function formerStates(tag: string, { store, repository }: Removal): Promise<readonly Digest[]> {
  const history = manifestHistory(store.objects);
  const states: Digest[] = [];
  for await (const digest of listTagStates(store.objects, repository, tag)) {
    if (!(await history.hasComeByDigest(repository, digest))) states.push(digest);
  }
  return states;
}

/** The children of an index, and what is attached to the manifest: signatures and other referrers. */
async function belongingTo(digest: Digest, removal: Removal): Promise<readonly Digest[]> {
  const { store, repository, call } = removalParts(removal);
  const manifest = await manifestOf(digest, removal);
  const children = manifest ? successors(manifest).manifests : [];
  const attached = await Array.fromAsync(store.stripped.referrers(repository, digest, undefined, call));
  return [...children, ...attached].map((descriptor) => descriptor.digest);
}
