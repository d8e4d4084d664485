// Which blobs and repositories a check of some images looks at. What is damaged counts as well: it is named by links.
import type { Digest } from '../../oci/digest.ts';
import { successors } from '../../oci/manifest.ts';
import { type Reference, tagOrDigest } from '../../oci/reference.ts';
import type { StoreFault } from '../../storage/check/findings.ts';
import { newLook } from '../../storage/check/look.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { tagLinkKey } from '../../storage/layout/registry-keys.ts';
import { linkedManifest } from '../../storage/repositories/list-manifests.ts';
import { fullNames, notLoaded, strippedNames } from './private-registry.ts';

export interface CheckedParts {
  readonly digests: ReadonlySet<Digest>;
  readonly repositories: readonly string[];
  /** Whether a fault in these repositories is one of these images. */
  readonly isMeant: (fault: StoreFault) => boolean;
}

/** Errors: MANIFEST_UNKNOWN. */
export async function partsOf(store: EmbeddedStore, images: readonly Reference[]): Promise<CheckedParts> {
  const { look } = newLook(store, new Date(), async () => {});
  const digests = new Set<Digest>();
  const repositories = new Set<string>();
  const names = new Set<string>();
  for (const image of images) {
    const found = await located(store, image);
    if (!found) throw notLoaded(image);
    repositories.add(found.repository);
    const wanted = tagOrDigest(image);
    names.add(`${found.repository}${image.digest ? '@' : ':'}${wanted}`);
    if (!found.digest) continue;
    digests.add(found.digest);
  }
  // A set goes on with what is added to it.
  for (const digest of digests) {
    const manifest = (await look.manifest(digest))?.manifest;
    if (!manifest) continue;
    const parts = successors(manifest);
    for (const part of [...parts.manifests, ...parts.blobs]) digests.add(part.digest);
  }
  return {
    digests,
    repositories: [...repositories],
    isMeant: ({ digest, images: costs }) =>
      (digest !== undefined && digests.has(digest)) || costs.some((name) => names.has(name)),
  };
}

/** A tag whose link is garbled is there, and means nothing. */
async function located(
  store: EmbeddedStore,
  image: Reference,
): Promise<{ readonly repository: string; readonly digest: Digest | undefined } | undefined> {
  const wanted = tagOrDigest(image);
  for (const repository of [...strippedNames(image), ...fullNames(image)]) {
    const digest = await linkedManifest(store.objects, repository, wanted);
    if (digest) return { repository, digest };
    if (!image.digest && (await store.objects.stat(tagLinkKey(repository, wanted)))) return { repository, digest };
  }
  return undefined;
}
