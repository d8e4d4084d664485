// The digests that the manifests of all repositories name, and the manifests' own.
import { type Digest, digestAlgorithm, digestOf } from '../../oci/digest.ts';
import { MAX_MANIFEST_SIZE } from '../../oci/manifest.ts';
import { walkRepositories } from '../repositories/links.ts';
import { namedManifests, taggedDigests } from '../repositories/list-manifests.ts';
import { wholeContent } from '../repositories/read-blob.ts';
import type { Store } from '../store.ts';
import { digestsIn } from './digests-in.ts';
import { type CollectionRun, inSteps, type RemovedManifest } from './run.ts';

export interface ManifestReferences {
  readonly named: Set<Digest>;
  /** Repositories with a manifest that cannot be read: what it names is not known, so all that they have stays. */
  readonly unreadable: ReadonlySet<string>;
}

interface Options extends CollectionRun {
  /** Manifests that count as removed. */
  readonly without: readonly Pick<RemovedManifest, 'repository' | 'digest'>[];
}

export async function digestsOfManifests(store: Store, { without, ...run }: Options): Promise<ManifestReferences> {
  const named = new Set<Digest>();
  const unreadable = new Set<string>();
  const left = new Map<string, Set<Digest>>();
  for (const { repository, digest } of without) {
    left.set(repository, (left.get(repository) ?? new Set()).add(digest));
  }
  for await (const repository of allRepositories(store)) {
    run.onEvent?.({ type: 'reading', repository });
    await run.step();
    const manifests = new Set(await Array.fromAsync(namedManifests(store.objects, repository)));
    // Also manifests that a tag points to and that have lost their link: a check of the store writes the link anew (check/check-repository). Some may be gone.
    const tagged = await taggedDigests(store.objects, repository);
    await inSteps(new Set([...manifests, ...tagged]), run, async (digest) => {
      if (left.get(repository)?.has(digest)) return;
      named.add(digest);
      const bytes = await wholeContent(store.blobs, digest, MAX_MANIFEST_SIZE);
      const isWhole = bytes && digestOf(bytes, digestAlgorithm(digest)) === digest;
      if (!isWhole && (bytes || manifests.has(digest))) unreadable.add(repository);
      for (const one of digestsIn(bytes ?? new Uint8Array())) named.add(one);
    });
  }
  return { named, unreadable };
}

/** All repositories, also those without manifests. */
export function allRepositories(store: Pick<Store, 'objects'>): AsyncIterable<string> {
  return walkRepositories(store.objects, async () => true);
}
