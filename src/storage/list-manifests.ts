// Every manifest that a repository has, tagged or not, and those that a tag was: what the registry contract, as the specification, does not list.
import { type Digest, isDigest } from '../oci/digest.ts';
import {
  referrerKey,
  revisionLinkKey,
  revisionsPrefix,
  tagIndexLinkKey,
  tagIndexPrefix,
  tagLinkKey,
} from './layout.ts';
import { readLink } from './links.ts';
import type { ObjectStore } from './object-store.ts';

/** In no order. A garbled link is none. */
export function listManifests(objects: ObjectStore, repository: string): AsyncIterable<Digest> {
  return linkedFrom(objects, revisionsPrefix(repository), (digest) => revisionLinkKey(repository, digest));
}

/** All that this tag was since it was made, and what it is. Some may have gone from the repository. In no order. */
export function listTagStates(objects: ObjectStore, repository: string, tag: string): AsyncIterable<Digest> {
  return linkedFrom(objects, tagIndexPrefix(repository, tag), (digest) => tagIndexLinkKey(repository, tag, digest));
}

/** What a repository has under a tag or digest, also where the manifest itself is damaged, or of a kind that is not known here. */
export async function linkedManifest(
  objects: ObjectStore,
  repository: string,
  tagOrDigest: string,
): Promise<Digest | undefined> {
  const key = isDigest(tagOrDigest) ? revisionLinkKey(repository, tagOrDigest) : tagLinkKey(repository, tagOrDigest);
  return await readLink(objects, key);
}

async function* linkedFrom(
  objects: ObjectStore,
  prefix: string,
  keyOf: (digest: Digest) => string,
): AsyncGenerator<Digest> {
  for await (const { key } of objects.list(prefix)) {
    const [algorithm, hex] = key.slice(prefix.length).split('/');
    const digest = `${algorithm}:${hex}`;
    if (isDigest(digest) && (await readLink(objects, keyOf(digest))) === digest) yield digest;
  }
}

export interface UntaggedManifest {
  readonly digest: Digest;
  readonly subject: Digest | undefined;
}

/** Removes manifests that the caller knows to have no tag: no tag is looked at, however many they are. */
export async function deleteUntagged(
  objects: ObjectStore,
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
