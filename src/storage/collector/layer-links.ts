// The links by which repositories have blobs. A new link protects its blob, because docker-registry and earlier versions of this program record a use nowhere else.
// When a blob is gone, its links go.
import { type Digest, isDigest } from '../../oci/digest.ts';
import type { StoredBlob } from '../blobs.ts';
import { layerLinkKey, layersPrefix } from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';
import { ensureLink } from '../repositories/links.ts';
import type { Store } from '../store.ts';
import { allRepositories } from './manifest-references.ts';
import { type CollectionRun, inSteps } from './run.ts';

/** By digest: the repositories that have a link. */
export type LinksOfGarbage = ReadonlyMap<Digest, readonly string[]>;

interface Options extends CollectionRun {
  /** In milliseconds since 1970: younger links protect their blobs. */
  readonly before: number;
  /** Repositories with manifests that cannot be read: all their blobs stay. */
  readonly unreadable: ReadonlySet<string>;
}

/** Takes what is protected out of `garbage`; returns the links to the rest. */
export async function linksOf(
  objects: Objects,
  garbage: Map<Digest, StoredBlob>,
  { before, unreadable, ...run }: Options,
): Promise<LinksOfGarbage> {
  const links = new Map<Digest, string[]>();
  for await (const repository of allRepositories({ objects })) {
    if (garbage.size === 0) break;
    await run.step();
    const linked = (await linkedDigests(objects, repository)).filter((digest) => garbage.has(digest));
    await inSteps(linked, run, async (digest) => {
      const link = await objects.stat(layerLinkKey(repository, digest));
      if (!link) return;
      if (unreadable.has(repository) || link.modified.getTime() > before) garbage.delete(digest);
      else links.set(digest, [...(links.get(digest) ?? []), repository]);
    });
  }
  return links;
}

async function linkedDigests(objects: Objects, repository: string): Promise<readonly Digest[]> {
  const prefix = layersPrefix(repository);
  const found: Digest[] = [];
  for (const algorithm of await objects.children(prefix)) {
    for (const hex of await objects.children(`${prefix}${algorithm}`)) {
      const digest = `${algorithm.slice(0, -1)}:${hex.slice(0, -1)}`;
      if (isDigest(digest)) found.push(digest);
    }
  }
  return found;
}

/** Deletes the links to blobs that are gone. A push of such a blob writes the blob first and its link afterwards, so a blob that is there again gets its links back. */
export async function deleteLinks(
  { objects, blobs }: Store,
  gone: readonly StoredBlob[],
  links: LinksOfGarbage,
): Promise<void> {
  for (const { digest } of gone) {
    const repositories = links.get(digest) ?? [];
    await objects.delete(repositories.map((repository) => layerLinkKey(repository, digest)));
    if (repositories.length === 0 || !(await blobs.find(digest))) continue;
    for (const repository of repositories) await ensureLink(objects, layerLinkKey(repository, digest), digest);
  }
}
