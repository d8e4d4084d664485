// The links by which repositories have blobs. A new link protects its blob, because docker-registry and earlier versions of this program record a use nowhere else.
// When a blob is gone, its links go.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { Digest } from '../../oci/digest.ts';
import type { StoredBlob } from '../blobs.ts';
import { layerLinkKey, layersPrefix } from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';
import { digestsBelow, ensureLink } from '../repositories/links.ts';
import type { Store } from '../store.ts';
import { allRepositories } from './manifest-references.ts';
import { AT_ONCE, type CollectionRun, inSteps } from './run.ts';

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
  for await (const repository of allRepositories({ objects }, run)) {
    if (garbage.size === 0) break;
    const linked: Digest[] = [];
    for await (const digest of digestsBelow(objects, layersPrefix(repository))) {
      if (garbage.has(digest)) linked.push(digest);
    }
    await inSteps(linked, run, async (digest) => {
      const link = await objects.stat(layerLinkKey(repository, digest));
      if (!link) return;
      if (unreadable.has(repository) || link.modified.getTime() > before) garbage.delete(digest);
      else links.set(digest, [...(links.get(digest) ?? []), repository]);
    });
  }
  return links;
}

/** Deletes the links to blobs that are gone. A push of such a blob writes the blob first and its link afterwards, so a blob that is there again gets its links back. */
export async function deleteLinks(
  { objects, blobs }: Store,
  gone: readonly StoredBlob[],
  links: LinksOfGarbage,
): Promise<void> {
  await createLimiter(AT_ONCE).map(gone, async ({ digest }) => {
    const repositories = links.get(digest) ?? [];
    await objects.delete(repositories.map((repository) => layerLinkKey(repository, digest)));
    if (repositories.length === 0 || !(await blobs.find(digest))) return;
    for (const repository of repositories) await ensureLink(objects, layerLinkKey(repository, digest), digest);
  });
}
