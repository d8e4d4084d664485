// The digests that the manifests of all repositories name, and the manifests' own.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { type Digest, digestAlgorithm, digestOf } from '../../oci/digest.ts';
import { MAX_MANIFEST_SIZE } from '../../oci/manifest.ts';
import { walkRepositories } from '../repositories/links.ts';
import { listManifests } from '../repositories/list-manifests.ts';
import { wholeContent } from '../repositories/read-blob.ts';
import type { Store } from '../store.ts';
import { digestsIn } from './digests-in.ts';
import type { CollectionRun } from './run.ts';

const AT_ONCE = 16;

export interface ManifestReferences {
  readonly named: Set<Digest>;
  /** Repositories with a manifest that cannot be read: what it names is not known, so all that they have stays. */
  readonly unreadable: ReadonlySet<string>;
}

interface Options extends CollectionRun {
  /** By repository: manifests that do not count. */
  readonly without: ReadonlyMap<string, ReadonlySet<Digest>>;
}

export async function digestsOfManifests(store: Store, { without, ...run }: Options): Promise<ManifestReferences> {
  const named = new Set<Digest>();
  const unreadable = new Set<string>();
  for await (const repository of allRepositories(store)) {
    run.onEvent?.({ type: 'reading', repository });
    await run.step();
    const digests: Digest[] = [];
    for await (const digest of listManifests(store.objects, repository)) {
      if (!without.get(repository)?.has(digest)) digests.push(digest);
    }
    await createLimiter(AT_ONCE).map(digests, async (digest) => {
      named.add(digest);
      const bytes = await wholeContent(store.blobs, digest, MAX_MANIFEST_SIZE);
      if (!bytes || digestOf(bytes, digestAlgorithm(digest)) !== digest) unreadable.add(repository);
      for (const one of digestsIn(bytes ?? new Uint8Array())) named.add(one);
    });
  }
  return { named, unreadable };
}

/** Also those without manifests. */
export function allRepositories(store: Pick<Store, 'objects'>): AsyncIterable<string> {
  return walkRepositories(store.objects, async () => true);
}
