// Writes manifests into repositories: first everything that the tags rely on, durably, then the tags. Other processes may remove meanwhile what a manifest names.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import {
  decodeManifest,
  MAX_MANIFEST_SIZE,
  type Manifest,
  type RawManifest,
  successors,
  verifyBytes,
} from '../../oci/manifest.ts';
import type { Registry } from '../../registry/contract.ts';
import { layerLinkKey, revisionLinkKey, tagIndexLinkKey, tagLinkKey } from '../layout/registry-keys.ts';
import type { Store } from '../store.ts';
import { checkRepository, checkTag, ensureLink, readLink, renewLink } from './links.ts';
import type { ManifestHistory } from './manifest-history.ts';
import { restoreManifest } from './restore-manifest.ts';
import { markNewStore } from './store-format.ts';
import type { ReferrersIndex } from './stored-referrers.ts';
import type { TagLinks } from './tag-links.ts';

export interface StoredManifestWriterParts {
  readonly store: Store;
  readonly tags: TagLinks;
  readonly referrers: ReferrersIndex;
  readonly history: ManifestHistory;
  /** Says whether a repository has a blob, and uses it. */
  readonly statBlob: Registry['statBlob'];
  readonly repositories: Registry['repositories'];
}

/** How many files the check of one manifest may have open, however many blobs it names. */
const CHECKED_AT_ONCE = 8;
const NAMED_IN_ERROR = 10;

/** `putManifest` of a registry over the store. The manifest, all links that it relies on, and its tags are durable when it resolves. */
export function storedManifestWriter(parts: StoredManifestWriterParts): Registry['putManifest'] {
  const { store, tags, referrers, history, statBlob } = parts;
  const { objects, blobs } = store;
  let marking: Promise<void> | undefined;

  /** Once in a process. */
  async function markStore(): Promise<void> {
    marking ??= markNewStore(objects, parts.repositories()).catch((error: unknown) => {
      // The next push tries it again.
      marking = undefined;
      throw error;
    });
    await marking;
  }

  /**
   * Writes all that refers to the manifest, but for the tags. Returns the keys of what these rely on: not what says which states the tags had. If a power
   * cut takes that of the last one, a removal of the tag does not know this state, and the next collections do.
   */
  async function refer(
    repository: string,
    manifest: RawManifest,
    decoded: Manifest,
    newTags: readonly string[],
  ): Promise<readonly string[]> {
    const { digest } = manifest;
    const revision = revisionLinkKey(repository, digest);
    const records = newTags.map((tag) => tagIndexLinkKey(repository, tag, digest));
    await Promise.all([
      ensureLink(objects, revision, digest),
      ...records.map((key) => renewLink(objects, key, digest)),
      referrers.add(repository, manifest, decoded),
      ...(newTags.length > 0 ? [history.getsTag(repository, digest)] : []),
    ]);
    const byDigest = newTags.length === 0 ? [await history.cameByDigest(repository, digest)] : [];
    return [revision, ...byDigest];
  }

  /** A removal of unneeded manifests may have read the repository before this manifest and its tags were there. */
  async function restoreLost(repository: string, relied: readonly Digest[]): Promise<void> {
    const left = new Set(await linkedIn(objects, repository, relied));
    for (const lost of relied.filter((one) => !left.has(one))) await restoreManifest(store, repository, lost);
  }

  return async (repository, manifest, newTags) => {
    checkRepository(repository);
    newTags.forEach(checkTag);
    const decoded = checked(manifest);
    const { digest } = manifest;
    const named = successors(decoded);
    const needed = [...new Set(named.blobs.map((blob) => blob.digest))];
    await checkBlobs(statBlob, repository, needed);
    await markStore();
    const children = await linkedIn(
      objects,
      repository,
      named.manifests.map((child) => child.digest),
    );
    // Everything that the tags rely on is on disk before they move.
    await blobs.put(digest, manifest.bytes, async () => [
      ...(await refer(repository, manifest, decoded, newTags)),
      ...needed.map((blob) => layerLinkKey(repository, blob)),
    ]);
    await Promise.all(newTags.map((tag) => tags.point(repository, tag, digest)));
    await objects.sync(newTags.map((tag) => tagLinkKey(repository, tag)));
    await restoreLost(repository, [...children, digest]);
  };
}

/** Uses a limiter of its own, so that the blobs of another manifest need not wait for all of this one's. Errors: MANIFEST_BLOB_UNKNOWN. */
async function checkBlobs(
  statBlob: Registry['statBlob'],
  repository: string,
  digests: readonly Digest[],
): Promise<void> {
  const found = await createLimiter(CHECKED_AT_ONCE).map(digests, (digest) => statBlob(repository, digest));
  const missing = digests.filter((_, at) => found[at] === undefined);
  if (missing.length > 0) {
    throw new ImagesError('MANIFEST_BLOB_UNKNOWN', `blob is not in ${repository} [${someOf(missing)}]`);
  }
}

/** Those of the manifests that the repository has. */
async function linkedIn(
  objects: Store['objects'],
  repository: string,
  digests: readonly Digest[],
): Promise<readonly Digest[]> {
  const all = [...new Set(digests)];
  const links = await createLimiter(CHECKED_AT_ONCE).map(all, (digest) =>
    readLink(objects, revisionLinkKey(repository, digest)),
  );
  return all.filter((digest, at) => links[at] === digest);
}

/** Errors: MANIFEST_TOO_LARGE, MANIFEST_INVALID, DIGEST_INVALID. */
function checked(manifest: RawManifest): Manifest {
  if (manifest.bytes.length > MAX_MANIFEST_SIZE) {
    throw new ImagesError('MANIFEST_TOO_LARGE', `manifest has more than ${MAX_MANIFEST_SIZE} bytes`);
  }
  verifyBytes(manifest.bytes, manifest);
  return decodeManifest(manifest);
}

function someOf(digests: readonly Digest[]): string {
  const more = digests.length - NAMED_IN_ERROR;
  return `${digests.slice(0, NAMED_IN_ERROR).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}
