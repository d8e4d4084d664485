// The digests that the manifests of all repositories name, and the manifests' own.
import { type Digest, digestAlgorithm, digestOf } from '../../oci/digest.ts';
import { type DigestSet, newDigestSet } from '../../oci/digest-set.ts';
import { MAX_MANIFEST_SIZE } from '../../oci/manifest.ts';
import { tagLinkKey, tagsPrefix } from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';
import { readLink, walkRepositories } from '../repositories/links.ts';
import { namedManifests } from '../repositories/list-manifests.ts';
import { wholeContent } from '../repositories/read-blob.ts';
import type { Store } from '../store.ts';
import { digestsIn } from './digests-in.ts';
import { type CollectionRun, inSteps, type RemovedManifest } from './run.ts';

export interface ManifestReferences {
  readonly named: DigestSet;
  /** Repositories with a manifest that cannot be read: what it names is not known, so all that they have stays. */
  readonly unreadable: ReadonlySet<string>;
}

interface Options extends CollectionRun {
  /** Manifests that count as removed. */
  readonly without: readonly Pick<RemovedManifest, 'repository' | 'digest'>[];
}

export async function digestsOfManifests(store: Store, { without, ...run }: Options): Promise<ManifestReferences> {
  const named = newDigestSet();
  const unreadable = new Set<string>();
  const left = new Set(without.map(({ repository, digest }) => `${repository}@${digest}`));
  /** Manifests that were read whole: what several repositories have is read once. */
  const known = newDigestSet();

  async function read(repository: string, digest: Digest, isLinked: boolean): Promise<void> {
    if (left.has(`${repository}@${digest}`) || known.has(digest)) return;
    named.add(digest);
    const bytes = await wholeContent(store.blobs, digest, MAX_MANIFEST_SIZE);
    if (bytes && digestOf(bytes, digestAlgorithm(digest)) === digest) known.add(digest);
    else if (bytes || isLinked) unreadable.add(repository);
    for (const one of digestsIn(bytes ?? new Uint8Array())) named.add(one);
  }

  await inSteps(namesOfManifests(store, run), run, async ({ repository, linked, digest, tag }) => {
    if (digest) return await read(repository, digest, true);
    const tagged = tag && (await readLink(store.objects, tagLinkKey(repository, tag)));
    if (tagged && !linked.has(tagged)) await read(repository, tagged, false);
  });
  return { named, unreadable };
}

interface NameOfManifest {
  readonly repository: string;
  /** All manifests that the repository has. */
  readonly linked: ReadonlySet<Digest>;
  readonly digest?: Digest;
  readonly tag?: string;
}

/** All manifests, and all tags: one whose manifest has lost its link, which a check of the store writes anew, means it all the same. */
async function* namesOfManifests({ objects }: Store, run: CollectionRun): AsyncGenerator<NameOfManifest> {
  for await (const repository of allRepositories({ objects }, run)) {
    run.onEvent?.({ type: 'reading', repository });
    const linked = new Set<Digest>();
    for await (const digest of namedManifests(objects, repository)) {
      linked.add(digest);
      yield { repository, linked, digest };
    }
    for (const folder of await objects.children(tagsPrefix(repository))) {
      yield { repository, linked, tag: folder.slice(0, -1) };
    }
  }
}

/** Repositories between two steps of a run: reading their names takes some milliseconds. */
const REPOSITORIES_A_STEP = 16;

/** Also those without manifests. */
export async function* allRepositories(
  { objects }: { readonly objects: Objects },
  run?: Pick<CollectionRun, 'step'>,
): AsyncGenerator<string> {
  let seen = 0;
  for await (const repository of walkRepositories(objects, async () => true)) {
    if (++seen % REPOSITORIES_A_STEP === 0) await run?.step();
    yield repository;
  }
}
