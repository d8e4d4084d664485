// Manifests that came under a tag only, and lost it some time ago: they go, with what only they needed (repositories/remove-unneeded).
import { addAll } from '../../oci/add-all.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { MAX_MANIFEST_SIZE, rawManifest } from '../../oci/manifest.ts';
import { byTagPrefix } from '../layout/image-keys.ts';
import { tagIndexLinkKey } from '../layout/registry-keys.ts';
import { linkedManifest, listTagStates, taggedDigests } from '../repositories/list-manifests.ts';
import { manifestHistory } from '../repositories/manifest-history.ts';
import { wholeContent } from '../repositories/read-blob.ts';
import { planRemoval } from '../repositories/removal-plan.ts';
import { removeUnneeded } from '../repositories/remove-unneeded.ts';
import type { RegistryStore } from '../store.ts';
import { allRepositories } from './manifest-references.ts';
import { type AgingRun, type CollectionRun, inSteps, type RemovedManifest } from './run.ts';

interface Options extends AgingRun {
  /** In milliseconds: those that lost their tag more recently stay. */
  readonly olderThanMs: number;
  readonly dryRun: boolean;
}

/** Returns what was removed, or would be. */
export async function removeUntagged(
  store: RegistryStore,
  { olderThanMs, dryRun, ...run }: Options,
): Promise<readonly RemovedManifest[]> {
  const removed: RemovedManifest[] = [];
  const history = manifestHistory(store.objects);
  const call = run.signal ? { signal: run.signal } : {};
  for await (const repository of allRepositories(store, run)) {
    // Tags are not read where nothing is known of any manifest.
    if (!(await store.objects.any(byTagPrefix(repository)))) continue;
    const old: Digest[] = [];
    const tagged = await taggedDigests(store.objects, repository);
    for await (const { digest, since } of history.untagged(repository, tagged, { isRecorded: !dryRun })) {
      if (run.ageOf(since) < olderThanMs) continue;
      // The manifest itself may be gone already.
      const isThere = (await linkedManifest(store.objects, repository, digest)) !== undefined;
      if (isThere) old.push(digest);
      else if (!dryRun) await history.forget(repository, [digest]);
    }
    if (old.length === 0) continue;
    const removal = { store, repository, step: run.step, ...call };
    const gone = dryRun ? (await planRemoval(old, removal)).gone : await removeUnneeded(old, removal);
    if (gone.length === 0) continue;
    const tags = await formerTags(store, repository, new Set(gone), run);
    const described = async (digest: Digest) => ({
      repository,
      digest,
      mediaType: await mediaTypeOf(store, digest),
      tags: tags.get(digest) ?? [],
    });
    addAll(removed, await inSteps(gone, run, described));
    if (!dryRun) await deleteFormerStates(store, repository, tags);
  }
  return removed;
}

/** The tags that once pointed to these manifests, as their own records say. */
async function formerTags(
  { objects, stripped }: RegistryStore,
  repository: string,
  gone: ReadonlySet<Digest>,
  run: CollectionRun,
): Promise<ReadonlyMap<Digest, readonly string[]>> {
  const found = new Map<Digest, string[]>();
  await inSteps(stripped.tags(repository), run, async (tag) => {
    for await (const digest of listTagStates(objects, repository, tag)) {
      if (gone.has(digest)) found.set(digest, [...(found.get(digest) ?? []), tag]);
    }
  });
  return found;
}

async function deleteFormerStates(
  { objects }: RegistryStore,
  repository: string,
  tags: ReadonlyMap<Digest, readonly string[]>,
): Promise<void> {
  for (const [digest, of] of tags) await objects.delete(of.map((tag) => tagIndexLinkKey(repository, tag, digest)));
}

/** The manifest's media type, read from its blob, which is still there. */
async function mediaTypeOf({ blobs }: RegistryStore, digest: Digest): Promise<string | undefined> {
  const bytes = await wholeContent(blobs, digest, MAX_MANIFEST_SIZE);
  try {
    return bytes && rawManifest(bytes).mediaType;
  } catch (error) {
    if (isImagesError(error, 'MANIFEST_INVALID')) return undefined;
    throw error;
  }
}
