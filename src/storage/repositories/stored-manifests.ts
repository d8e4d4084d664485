// Manifests and tags over an object store: a manifest is a blob with a revision link; a tag is a link, which is moved last.
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { object, parseJson } from '../../oci/decode.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import {
  decodeManifest,
  MAX_MANIFEST_SIZE,
  manifestMediaType,
  type RawManifest,
  rawManifest,
  successors,
  verifyBytes,
} from '../../oci/manifest.ts';
import { isTag } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import {
  layerLinkKey,
  linkBytes,
  revisionLinkKey,
  revisionsPrefix,
  tagIndexLinkKey,
  tagLinkKey,
  tagPrefix,
  tagsPrefix,
} from '../layout.ts';
import type { Store } from '../store.ts';
import { absent, checkRepository, checkTag, ensureLink, readLink, renewLink, walkRepositories } from './links.ts';
import { manifestHistory } from './manifest-history.ts';
import { wholeContent } from './read-blob.ts';
import { restoreManifest } from './restore-manifest.ts';
import { markNewStore } from './store-format.ts';
import { referrersIndex } from './stored-referrers.ts';

const LINKS_AT_A_TIME = 8;

export type StoredManifests = Pick<
  Registry,
  | 'getManifest'
  | 'statManifest'
  | 'putManifest'
  | 'deleteTag'
  | 'deleteManifest'
  | 'repositories'
  | 'tags'
  | 'referrers'
>;

/** How many files the check of one manifest may have open, however many blobs it names. */
const CHECKED_AT_ONCE = 8;
const NAMED_IN_ERROR = 10;

export function storedManifests(store: Store, statBlob: Registry['statBlob']): StoredManifests {
  const { objects, blobs } = store;
  const index = referrersIndex(objects, find);
  const history = manifestHistory(objects);
  /** By their memory: a store that remembers what it has read gives the same again while it is unchanged. */
  const verifiedBefore = new WeakMap<Uint8Array, RawManifest>();

  /** The digest that a tag or digest means in this repository. */
  async function resolve(repository: string, tagOrDigest: string): Promise<Digest | undefined> {
    checkRepository(repository);
    const digest = isDigest(tagOrDigest)
      ? tagOrDigest
      : isTag(tagOrDigest)
        ? await readLink(objects, tagLinkKey(repository, tagOrDigest))
        : undefined;
    if (digest === undefined) return undefined;
    return (await readLink(objects, revisionLinkKey(repository, digest))) === undefined ? undefined : digest;
  }

  /** A manifest that does not match its digest (power cut, faulty disk) counts as absent, from now on also for HEAD, and can be pushed again. */
  async function find(repository: string, tagOrDigest: string): Promise<RawManifest | undefined> {
    const digest = await resolve(repository, tagOrDigest);
    if (digest === undefined) return undefined;
    const bytes = await readUnverified(digest);
    if (!bytes) return undefined;
    const known = verifiedBefore.get(bytes);
    if (known?.digest === digest) return known;
    if (digestOf(bytes, digestAlgorithm(digest)) !== digest) {
      await blobs.doubt(digest);
      return undefined;
    }
    const manifest = readRaw(bytes, digest);
    if (manifest) verifiedBefore.set(bytes, manifest);
    return manifest;
  }

  async function readUnverified(digest: Digest): Promise<Uint8Array | undefined> {
    return await wholeContent(blobs, digest, MAX_MANIFEST_SIZE);
  }

  /**
   * Does not hash: loading node:crypto takes a fifth of the time of a command that only asks whether an image is there. Truncated JSON and
   * the zeros after a power cut are no JSON, and whoever reads or puts the manifest verifies it.
   */
  async function stat(repository: string, tagOrDigest: string): Promise<Descriptor | undefined> {
    const digest = await resolve(repository, tagOrDigest);
    const bytes = digest && (await readUnverified(digest));
    if (!bytes) return undefined;
    const mediaType = statedMediaType(bytes);
    return mediaType === undefined ? undefined : { mediaType, digest, size: bytes.length };
  }

  /** Whether the manifest or a part of it is known to be damaged. Reads nothing if no blob is. Absent parts do not count as damaged. */
  async function isDamaged(repository: string, digest: Digest, damaged?: ReadonlySet<Digest>): Promise<boolean> {
    const known = damaged ?? (await blobs.damaged());
    if (known.size === 0) return false;
    const raw = await find(repository, digest);
    const parts = raw && knownSuccessors(raw);
    if (!parts) return known.has(digest);
    const { manifests } = parts;
    if (parts.blobs.some((blob) => known.has(blob.digest))) return true;
    for (const child of manifests) if (await isDamaged(repository, child.digest, known)) return true;
    return false;
  }

  function unknown(repository: string, tagOrDigest: string): Promise<ImagesError> {
    const error = new ImagesError('MANIFEST_UNKNOWN', `no such manifest in ${repository} [${tagOrDigest}]`);
    return absent(objects, repository, error);
  }

  /** Uses a limiter of its own, so that the blobs of another manifest need not wait for all of this one's. */
  async function checkBlobs(repository: string, digests: readonly Digest[]): Promise<void> {
    const found = await createLimiter(CHECKED_AT_ONCE).map(digests, (digest) => statBlob(repository, digest));
    const missing = digests.filter((_, at) => found[at] === undefined);
    if (missing.length > 0) {
      throw new ImagesError('MANIFEST_BLOB_UNKNOWN', `blob is not in ${repository} [${someOf(missing)}]`);
    }
  }

  /** Those of the manifests that the repository has. */
  async function linkedIn(repository: string, digests: readonly Digest[]): Promise<readonly Digest[]> {
    const all = [...new Set(digests)];
    const links = await createLimiter(CHECKED_AT_ONCE).map(all, (digest) =>
      readLink(objects, revisionLinkKey(repository, digest)),
    );
    return all.filter((digest, at) => links[at] === digest);
  }

  async function point(repository: string, tag: string, digest: Digest): Promise<void> {
    const key = tagLinkKey(repository, tag);
    const former = await readLink(objects, key);
    // The time of a tag's link is that of its last push (tag-use).
    if (former === digest) return await renewLink(objects, key, digest);
    if (former !== undefined) await history.losesTag(repository, former);
    await objects.put(key, linkBytes(digest));
  }

  /** Removes the tag's current link first, so that concurrent readers see the tag whole or not at all. */
  async function removeTag(repository: string, tag: string): Promise<void> {
    await objects.delete([tagLinkKey(repository, tag)]);
    await objects.deleteAll(tagPrefix(repository, tag));
  }

  async function* tags(repository: string, after = '', unwanted?: ReadonlySet<string>): AsyncGenerator<string> {
    const folders = await objects.children(tagsPrefix(repository));
    // Sorted without their slashes, so that `a` comes before `a-b`.
    const found = folders
      .map((folder) => folder.slice(0, -1))
      .filter((tag) => tag > after && isTag(tag) && !unwanted?.has(tag))
      .sort();
    // The consumer may stop after a page, so links are not read far ahead.
    for (let at = 0; at < found.length; at += LINKS_AT_A_TIME) {
      const some = found.slice(at, at + LINKS_AT_A_TIME);
      const links = await Promise.all(some.map((tag) => readLink(objects, tagLinkKey(repository, tag))));
      yield* some.filter((_, index) => links[index] !== undefined);
    }
  }

  // A repository exists while it has a manifest. Blobs alone are being uploaded, or are left for garbage collection.
  const repositories = (after?: string) =>
    walkRepositories(objects, (repository) => objects.any(revisionsPrefix(repository)), after);
  let marking: Promise<void> | undefined;

  return {
    getManifest: async (repository, tagOrDigest) => {
      const manifest = await find(repository, tagOrDigest);
      if (!manifest) throw await unknown(repository, tagOrDigest);
      return manifest;
    },
    statManifest: async (repository, tagOrDigest, { whole = false } = {}) => {
      const found = await stat(repository, tagOrDigest);
      return found && whole && (await isDamaged(repository, found.digest)) ? undefined : found;
    },
    putManifest: async (repository, manifest, newTags) => {
      checkRepository(repository);
      newTags.forEach(checkTag);
      if (manifest.bytes.length > MAX_MANIFEST_SIZE) {
        throw new ImagesError('MANIFEST_TOO_LARGE', `manifest has more than ${MAX_MANIFEST_SIZE} bytes`);
      }
      verifyBytes(manifest.bytes, manifest);
      const decoded = decodeManifest(manifest);
      const { digest } = manifest;
      const parts = successors(decoded);
      const needed = [...new Set(parts.blobs.map((blob) => blob.digest))];
      await checkBlobs(repository, needed);
      marking ??= markNewStore(objects, repositories()).catch((error: unknown) => {
        // The next push tries it again.
        marking = undefined;
        throw error;
      });
      await marking;
      const children = await linkedIn(
        repository,
        parts.manifests.map((child) => child.digest),
      );
      const revision = revisionLinkKey(repository, digest);
      const records = newTags.map((tag) => tagIndexLinkKey(repository, tag, digest));
      const links = [revision, ...records];
      // Everything that the tags rely on is on disk before they move.
      await blobs.put(digest, manifest.bytes, async () => {
        await Promise.all([
          ensureLink(objects, revision, digest),
          ...records.map((key) => renewLink(objects, key, digest)),
          index.add(repository, manifest, decoded),
          ...(newTags.length > 0 ? [history.getsTag(repository, digest)] : []),
        ]);
        const byDigest = newTags.length === 0 ? [await history.cameByDigest(repository, digest)] : [];
        return [...links, ...byDigest, ...needed.map((blob) => layerLinkKey(repository, blob))];
      });
      const current = newTags.map((tag) => tagLinkKey(repository, tag));
      await Promise.all(newTags.map((tag) => point(repository, tag, digest)));
      await objects.sync(current);
      // A removal of unneeded manifests may have read the repository before this manifest and its tags were there.
      const relied = [...children, digest];
      const left = new Set(await linkedIn(repository, relied));
      for (const lost of relied.filter((one) => !left.has(one))) await restoreManifest(store, repository, lost);
    },
    deleteTag: async (repository, tag) => {
      checkRepository(repository);
      const digest = isTag(tag) ? await readLink(objects, tagLinkKey(repository, tag)) : undefined;
      if (digest === undefined) throw await unknown(repository, tag);
      await history.losesTag(repository, digest);
      await removeTag(repository, tag);
      await objects.sync([tagLinkKey(repository, tag)]);
    },
    deleteManifest: async (repository, digest) => {
      checkRepository(repository);
      const link = revisionLinkKey(repository, digest);
      if (!(await readLink(objects, link))) throw await unknown(repository, digest);
      const manifest = await find(repository, digest);
      const gone = [link];
      for await (const tag of tags(repository)) {
        const current = tagLinkKey(repository, tag);
        if ((await readLink(objects, current)) !== digest) continue;
        await removeTag(repository, tag);
        gone.push(current);
      }
      if (manifest) await index.remove(repository, manifest);
      await history.forget(repository, [digest]);
      await objects.delete([link]);
      await objects.sync(gone);
    },
    repositories,
    tags: async function* (repository, after, { unwanted } = {}) {
      checkRepository(repository);
      const error = new ImagesError('NAME_UNKNOWN', `no such repository [${repository}]`);
      const found = await absent(objects, repository, new ImagesError('MANIFEST_UNKNOWN', 'it has no tags'));
      if (found.code === 'NAME_UNKNOWN') throw error;
      yield* tags(repository, after, unwanted);
    },
    referrers: (repository, subject, artifactType, { after } = {}) => {
      checkRepository(repository);
      return index.list(repository, subject, { artifactType, after });
    },
  };
}

function someOf(digests: readonly Digest[]): string {
  const more = digests.length - NAMED_IN_ERROR;
  return `${digests.slice(0, NAMED_IN_ERROR).join(', ')}${more > 0 ? `, and ${more} more` : ''}`;
}

/** Returns `undefined` for unknown kinds, which a volume of another registry may hold. */
function knownSuccessors(manifest: RawManifest): ReturnType<typeof successors> | undefined {
  try {
    return successors(decodeManifest(manifest));
  } catch (error) {
    if (isImagesError(error, 'MANIFEST_INVALID', 'UNSUPPORTED')) return undefined;
    throw error;
  }
}

/** Returns `undefined` if the object is no manifest, although a link refers to it. */
function readRaw(bytes: Uint8Array, digest: Digest): RawManifest | undefined {
  try {
    return rawManifest(bytes, undefined, digestAlgorithm(digest));
  } catch (error) {
    if (isImagesError(error, 'MANIFEST_INVALID')) return undefined;
    throw error;
  }
}

/** Returns `undefined` if the bytes are no manifest (any more). */
function statedMediaType(bytes: Uint8Array): string | undefined {
  try {
    return manifestMediaType(object(parseJson(bytes, 'manifest'), 'manifest'));
  } catch (error) {
    if (isImagesError(error, 'MANIFEST_INVALID')) return undefined;
    throw error;
  }
}
