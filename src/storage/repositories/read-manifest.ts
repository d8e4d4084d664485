// Reads the manifests of a repository. Their bytes are a blob; the repository has them while it has a link to it.
import { object, parseJson } from '../../oci/decode.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestOf } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import {
  decodeManifest,
  MAX_MANIFEST_SIZE,
  manifestMediaType,
  type RawManifest,
  rawManifest,
  successors,
} from '../../oci/manifest.ts';
import type { Blobs } from '../blobs.ts';
import { wholeContent } from './read-blob.ts';
import type { TagLinks } from './tag-links.ts';

export interface StoredManifestReader {
  /** A manifest that does not match its digest (power cut, faulty disk) counts as absent, from now on also for `stat`, and can be pushed again. */
  find(repository: string, tagOrDigest: string): Promise<RawManifest | undefined>;
  /**
   * Does not hash: loading node:crypto takes a fifth of the time of a command that only asks whether an image is there. Truncated JSON and
   * the zeros after a power cut are no JSON, and whoever reads or puts the manifest verifies it.
   */
  stat(repository: string, tagOrDigest: string): Promise<Descriptor | undefined>;
  /** Whether the manifest or a part of it is known to be damaged. Reads nothing if no blob is. Absent parts do not count as damaged. */
  isDamaged(repository: string, digest: Digest): Promise<boolean>;
}

export function storedManifestReader(blobs: Blobs, { resolve, kept }: TagLinks): StoredManifestReader {
  /** By their memory: a store that remembers what it has read gives the same again while it is unchanged. */
  const verifiedBefore = new WeakMap<Uint8Array, RawManifest>();

  const readUnverified = (digest: Digest) => wholeContent(blobs, digest, MAX_MANIFEST_SIZE);

  /** A manifest that was found before, and is as it was: most requests are for the same ones. */
  function findKept(repository: string, tagOrDigest: string): RawManifest | undefined {
    const digest = kept(repository, tagOrDigest);
    const bytes = digest && blobs.kept?.(digest);
    const known = bytes && verifiedBefore.get(bytes);
    return known?.digest === digest ? known : undefined;
  }

  async function find(repository: string, tagOrDigest: string): Promise<RawManifest | undefined> {
    const before = findKept(repository, tagOrDigest);
    if (before) return before;
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

  async function isOneOf(damaged: ReadonlySet<Digest>, repository: string, digest: Digest): Promise<boolean> {
    const raw = await find(repository, digest);
    const parts = raw && knownSuccessors(raw);
    if (!parts) return damaged.has(digest);
    if (parts.blobs.some((blob) => damaged.has(blob.digest))) return true;
    for (const child of parts.manifests) if (await isOneOf(damaged, repository, child.digest)) return true;
    return false;
  }

  return {
    find,
    stat: async (repository, tagOrDigest) => {
      const digest = await resolve(repository, tagOrDigest);
      const bytes = digest && (await readUnverified(digest));
      if (!bytes) return undefined;
      const mediaType = statedMediaType(bytes);
      return mediaType === undefined ? undefined : { mediaType, digest, size: bytes.length };
    },
    isDamaged: async (repository, digest) => {
      const damaged = await blobs.damaged();
      return damaged.size > 0 && (await isOneOf(damaged, repository, digest));
    },
  };
}

/** Returns `undefined` for unknown kinds, which a volume of another registry may hold. */
function knownSuccessors(manifest: RawManifest): ReturnType<typeof successors> | undefined {
  return ifManifest(() => successors(decodeManifest(manifest)), 'UNSUPPORTED');
}

/** Returns `undefined` if the object is no manifest, although a link refers to it. */
function readRaw(bytes: Uint8Array, digest: Digest): RawManifest | undefined {
  return ifManifest(() => rawManifest(bytes, undefined, digestAlgorithm(digest)));
}

/** Returns `undefined` if the bytes are no manifest (any more). */
function statedMediaType(bytes: Uint8Array): string | undefined {
  return ifManifest(() => manifestMediaType(object(parseJson(bytes, 'manifest'), 'manifest')));
}

function ifManifest<T>(read: () => T, ...codes: readonly 'UNSUPPORTED'[]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isImagesError(error, 'MANIFEST_INVALID', ...codes)) return undefined;
    throw error;
  }
}
