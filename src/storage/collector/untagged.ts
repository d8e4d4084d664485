// Manifests that came under a tag only, and lost it some time ago: they go, with what only they needed (repositories/remove-unneeded).
import type { Digest } from '../../oci/digest.ts';
import { tagIndexLinkKey } from '../layout.ts';
import { linkedManifest, listTagStates } from '../repositories/list-manifests.ts';
import { manifestHistory } from '../repositories/manifest-history.ts';
import { planRemoval, removeUnneeded } from '../repositories/remove-unneeded.ts';
import type { RegistryStore } from '../store.ts';
import { allRepositories } from './manifest-references.ts';
import type { CollectionRun, UntaggedRemoval } from './run.ts';

interface Options extends CollectionRun {
  /** In milliseconds since 1970: those that lost their tag later stay. */
  readonly before: number;
  readonly dryRun: boolean;
}

/** Returns what was removed, or would be. */
export async function removeUntagged(
  store: RegistryStore,
  { before, dryRun, ...run }: Options,
): Promise<readonly UntaggedRemoval[]> {
  const removed: UntaggedRemoval[] = [];
  const history = manifestHistory(store.objects);
  const call = run.signal ? { signal: run.signal } : {};
  for await (const repository of allRepositories(store)) {
    await run.step();
    const old: Digest[] = [];
    for await (const { digest, since } of history.untagged(repository)) {
      if (since.getTime() > before) continue;
      // The manifest itself may be gone already.
      if ((await linkedManifest(store.objects, repository, digest)) === undefined)
        await history.forget(repository, [digest]);
      else old.push(digest);
    }
    if (old.length === 0) continue;
    const removal = { store, repository, ...call };
    const digests = dryRun ? (await planRemoval(old, removal)).gone : await removeUnneeded(old, removal);
    if (digests.length === 0) continue;
    removed.push({ repository, digests });
    if (!dryRun) await deleteFormerStates(store, repository, new Set(digests));
  }
  return removed;
}

/** Deletes what the tags' own records say of manifests that are gone. */
async function deleteFormerStates(
  { objects, stripped }: RegistryStore,
  repository: string,
  gone: ReadonlySet<Digest>,
): Promise<void> {
  for await (const tag of stripped.tags(repository)) {
    for await (const digest of listTagStates(objects, repository, tag)) {
      if (gone.has(digest)) await objects.delete([tagIndexLinkKey(repository, tag, digest)]);
    }
  }
}
