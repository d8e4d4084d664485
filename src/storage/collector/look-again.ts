// References that came since the manifests were read, by programs that record no use: docker-registry, and this program up to 0.2.0, say that a blob is there, and
// name it, without a trace at the blob. What they name is seen once more when the blobs that may go are found by nobody any more.
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../../oci/digest.ts';
import type { DigestSet } from '../../oci/digest-set.ts';
import { MAX_MANIFEST_SIZE } from '../../oci/manifest.ts';
import { BUILT } from '../layout/image-keys.ts';
import { parseLink, revisionsPrefix } from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';
import { wholeContent } from '../repositories/read-blob.ts';
import type { Store } from '../store.ts';
import { digestsIn } from './digests-in.ts';
import { allRepositories } from './manifest-references.ts';
import { type CollectionRun, STEP } from './run.ts';

export interface NewReferences {
  /** Repositories with a new manifest that cannot be read: all that they have stays. */
  readonly unreadable: ReadonlySet<string>;
  /** How much the look has cost: about as much as deleting so many blobs. */
  readonly cost: number;
}

/** Folders, and names in folders, whose reading takes about as long as deleting a blob. */
const FOLDERS_A_BLOB = 16;
const NAMES_A_BLOB = 500;

/** Adds to `named` what manifests, of repositories and of builds, name that are not in it. Of the others only the names are read. */
export async function lookAgain(
  store: Store,
  named: Pick<DigestSet, 'has'> & { add(digest: Digest): unknown },
  run: Pick<CollectionRun, 'step'>,
): Promise<NewReferences> {
  const unreadable = new Set<string>();
  let [folders, names] = [0, 0];

  async function read(digest: Digest): Promise<boolean> {
    named.add(digest);
    const bytes = await wholeContent(store.blobs, digest, MAX_MANIFEST_SIZE);
    for (const one of digestsIn(bytes ?? new Uint8Array())) named.add(one);
    return bytes !== undefined && digestOf(bytes, digestAlgorithm(digest)) === digest;
  }

  for await (const repository of allRepositories(store)) {
    folders += 2;
    if (folders % STEP === 0) await run.step();
    for (const digest of await manifestsIn(store.objects, repository)) {
      names += 1;
      if (!named.has(digest) && !(await read(digest))) unreadable.add(repository);
    }
  }
  for await (const { key } of store.objects.list(BUILT)) {
    folders += 1;
    const digest = parseLink(await store.objects.get(key));
    if (digest !== undefined && !named.has(digest)) await read(digest);
  }
  return { unreadable, cost: Math.ceil(folders / FOLDERS_A_BLOB + names / NAMES_A_BLOB) };
}

async function manifestsIn(objects: Objects, repository: string): Promise<readonly Digest[]> {
  const prefix = revisionsPrefix(repository);
  const found: Digest[] = [];
  for (const algorithm of await objects.children(prefix)) {
    for (const hex of await objects.children(`${prefix}${algorithm}`)) {
      const digest = `${algorithm.slice(0, -1)}:${hex.slice(0, -1)}`;
      if (isDigest(digest)) found.push(digest);
    }
  }
  return found;
}
