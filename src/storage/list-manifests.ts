// Every manifest that a repository has, tagged or not: what the registry contract, as the specification, does not list.
import { type Digest, isDigest } from '../oci/digest.ts';
import { revisionLinkKey, revisionsPrefix } from './layout.ts';
import { readLink } from './links.ts';
import type { ObjectStore } from './object-store.ts';

/** In no order. A garbled link is none. */
export async function* listManifests(objects: ObjectStore, repository: string): AsyncGenerator<Digest> {
  const prefix = revisionsPrefix(repository);
  for await (const { key } of objects.list(prefix)) {
    const [algorithm, hex] = key.slice(prefix.length).split('/');
    const digest = `${algorithm}:${hex}`;
    if (isDigest(digest) && (await readLink(objects, revisionLinkKey(repository, digest))) === digest) yield digest;
  }
}
