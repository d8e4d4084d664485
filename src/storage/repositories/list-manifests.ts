// Lists all manifests of a repository, tagged or not, and all former values of a tag. The registry contract and the specification have no such lists.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { referrerKey } from '../layout/image-keys.ts';
import {
  revisionLinkKey,
  revisionsPrefix,
  tagIndexLinkKey,
  tagIndexPrefix,
  tagLinkKey,
  tagsPrefix,
} from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';
import { digestsBelow, readLink } from './links.ts';

/** How many links are read at once: as many as Node has threads for, and some that queue. */
const READ_AT_ONCE = 16;

/** The manifests that the repository has, unordered. Garbled links are skipped. */
export function listManifests(objects: Objects, repository: string): AsyncIterable<Digest> {
  return linkedFrom(objects, revisionsPrefix(repository), (digest) => revisionLinkKey(repository, digest));
}

/** The same by the keys of the links, whatever they say: also manifests whose link a power cut has emptied, and that a check can mend. Unordered. */
export async function* namedManifests(objects: Objects, repository: string): AsyncIterable<Digest> {
  for await (const digest of digestsBelow(objects, revisionsPrefix(repository))) {
    if (await objects.stat(revisionLinkKey(repository, digest))) yield digest;
  }
}

/** The digests that the tag has pointed to, including the current one. Some may no longer be in the repository. Unordered. */
export function listTagStates(objects: Objects, repository: string, tag: string): AsyncIterable<Digest> {
  return linkedFrom(objects, tagIndexPrefix(repository, tag), (digest) => tagIndexLinkKey(repository, tag, digest));
}

/** What the tags of the repository point to. */
export async function taggedDigests(objects: Objects, repository: string): Promise<ReadonlySet<Digest>> {
  const tags = (await objects.children(tagsPrefix(repository))).map((folder) => folder.slice(0, -1));
  const links = await createLimiter(READ_AT_ONCE).map(tags, (tag) => readLink(objects, tagLinkKey(repository, tag)));
  return new Set(links.filter((digest) => digest !== undefined));
}

/** The digest for a tag or digest, even if the manifest is damaged or of an unknown kind. */
export async function linkedManifest(
  objects: Objects,
  repository: string,
  tagOrDigest: string,
): Promise<Digest | undefined> {
  const key = isDigest(tagOrDigest) ? revisionLinkKey(repository, tagOrDigest) : tagLinkKey(repository, tagOrDigest);
  return await readLink(objects, key);
}

async function* linkedFrom(
  objects: Objects,
  prefix: string,
  keyOf: (digest: Digest) => string,
): AsyncGenerator<Digest> {
  let some: Digest[] = [];
  async function* linked(): AsyncGenerator<Digest> {
    const links = await Promise.all(some.map((digest) => readLink(objects, keyOf(digest))));
    yield* some.filter((digest, at) => links[at] === digest);
    some = [];
  }
  for await (const digest of digestsBelow(objects, prefix)) if (some.push(digest) === READ_AT_ONCE) yield* linked();
  yield* linked();
}

export interface UntaggedManifest {
  readonly digest: Digest;
  readonly subject: Digest | undefined;
}

/** Removes manifests of which the caller knows that they have no tag. So tags are not read, however many there are. */
export async function deleteUntagged(
  objects: Objects,
  repository: string,
  manifests: readonly UntaggedManifest[],
): Promise<void> {
  const links = manifests.map(({ digest }) => revisionLinkKey(repository, digest));
  const referrers = manifests.flatMap(({ digest, subject }) =>
    subject === undefined ? [] : [referrerKey(repository, subject, digest)],
  );
  await objects.delete([...referrers, ...links]);
  await objects.sync(links);
}
