// The images of a repository: what holds its blobs. A tag is an image; a full name that means another digest than the tag; and a manifest that stays without a
// tag. The images of an index, signatures and other referrers are parts of their image, as they are when it is removed.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { cosignTags } from '../../oci/cosign-tags.ts';
import type { Digest } from '../../oci/digest.ts';
import { isTag } from '../../oci/reference.ts';
import type { NameRecord } from '../../registry/policies/full-names.ts';
import { tagLinkKey, tagsPrefix } from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';
import { readLink } from '../repositories/links.ts';
import { listManifests, listTagStates } from '../repositories/list-manifests.ts';
import { manifestHistory } from '../repositories/manifest-history.ts';
import type { SpaceGraph } from './space-graph.ts';

export interface HeldImage {
  /** `NAME:TAG`, `NAME@DIGEST` or `HOST/PATH:TAG`. */
  readonly name: string;
  readonly digest: Digest;
  readonly tag?: string;
  /** Former states of the tag, which collections remove. */
  readonly former: readonly Digest[];
}

export interface RepositoryImages {
  readonly repository: string;
  readonly images: readonly HeldImage[];
  /** Manifests that lost their last tag, and which collections remove: they hold nothing. */
  readonly former: readonly Digest[];
  /** Numbers of all blobs of a manifest and of its parts in this repository. */
  blobsOf(manifest: Digest): ReadonlySet<number>;
}

const READ_AT_ONCE = 16;

/** `recorded`: the full names that may belong to the repository. */
export async function repositoryImages(
  objects: Objects,
  {
    repository,
    recorded,
    graph,
  }: { readonly repository: string; readonly recorded: readonly NameRecord[]; readonly graph: SpaceGraph },
): Promise<RepositoryImages> {
  const manifests = await Array.fromAsync(listManifests(objects, repository));
  await graph.read(manifests);
  const there = new Set(manifests);
  const tags = (await tagsOf(objects, repository)).filter(({ digest }) => there.has(digest));
  const { attached, parts, isAttachedTag } = relationsOf(manifests, { there, tags, graph });

  const byTag = new Map(tags.map(({ tag, digest }) => [tag, digest]));
  const named = [
    ...tags
      .filter(({ tag }) => !isAttachedTag(tag))
      .map(({ tag, digest }) => ({ name: `${repository}:${tag}`, digest, tag })),
    ...recorded
      .filter(({ tag, digest }) => there.has(digest) && byTag.get(tag) !== digest)
      .map(({ host, path, tag, digest }) => ({ name: `${host}/${path}:${tag}`, digest })),
  ];
  const held = new Set([...named, ...tags].map(({ digest }) => digest));
  const history = manifestHistory(objects);
  const [alone, former]: [Digest[], Digest[]] = [[], []];
  for (const digest of manifests) {
    if (held.has(digest) || parts.has(digest)) continue;
    ((await history.goesWithoutTag(repository, digest)) ? former : alone).push(digest);
  }
  const formerOf = async (tag: string | undefined): Promise<readonly Digest[]> => {
    if (tag === undefined || former.length === 0) return [];
    const states = new Set(await Array.fromAsync(listTagStates(objects, repository, tag)));
    return former.filter((digest) => states.has(digest));
  };
  const images = [...named, ...alone.sort().map((digest) => ({ name: `${repository}@${digest}`, digest }))];

  return {
    repository,
    images: await createLimiter(READ_AT_ONCE).map(images, async (image: Omit<HeldImage, 'former'>) => ({
      ...image,
      former: await formerOf(image.tag),
    })),
    former,
    blobsOf: (manifest) => {
      const blobs = new Set<number>();
      const seen = new Set([manifest]);
      for (const digest of seen) {
        const { named: numbers, children } = graph.partsOf(digest);
        for (const number of numbers) blobs.add(number);
        // The loop also visits what is added to the set meanwhile.
        for (const child of children) if (there.has(child)) seen.add(child);
        for (const referrer of attached.get(digest) ?? []) seen.add(referrer);
      }
      return blobs;
    },
  };
}

interface TagLink {
  readonly tag: string;
  readonly digest: Digest;
}

/** In byte order. */
async function tagsOf(objects: Objects, repository: string): Promise<readonly TagLink[]> {
  const names = (await objects.children(tagsPrefix(repository))).map((folder) => folder.slice(0, -1)).filter(isTag);
  const links = await createLimiter(READ_AT_ONCE).map(names.sort(), async (tag) => ({
    tag,
    digest: await readLink(objects, tagLinkKey(repository, tag)),
  }));
  return links.filter((link): link is TagLink => link.digest !== undefined);
}

/** Which manifests are parts of which, and are removed with it (repositories/removal-plan). */
function relationsOf(
  manifests: readonly Digest[],
  {
    there,
    tags,
    graph,
  }: { readonly there: ReadonlySet<Digest>; readonly tags: readonly TagLink[]; readonly graph: SpaceGraph },
) {
  const attached = new Map<Digest, Digest[]>();
  const parts = new Set<Digest>();
  const attach = (subject: Digest, referrer: Digest) => {
    const referrers = attached.get(subject);
    if (referrers) referrers.push(referrer);
    else attached.set(subject, [referrer]);
    parts.add(referrer);
  };
  const digests = new Map(tags.map(({ tag, digest }) => [tag, digest]));
  const attachedTags = new Set<string>();
  for (const digest of manifests) {
    const { children, subject } = graph.partsOf(digest);
    for (const child of children) if (child !== digest && there.has(child)) parts.add(child);
    if (subject !== undefined && there.has(subject)) attach(subject, digest);
    // cosign's tags mean nothing without their subject.
    for (const tag of digests.size > 0 ? cosignTags(digest) : []) {
      const signature = digests.get(tag);
      if (signature === undefined || signature === digest) continue;
      attachedTags.add(tag);
      attach(digest, signature);
    }
  }
  return { attached, parts, isAttachedTag: (tag: string) => attachedTags.has(tag) };
}
