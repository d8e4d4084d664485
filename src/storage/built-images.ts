// Images that were built here: their names, and reading them. The registry does not list them. Uploading one only takes links.
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import { type RawManifest, rawManifest, verifyBytes } from '../oci/manifest.ts';
import { DEFAULT_TAG, fullReference, type Reference } from '../oci/reference.ts';
import type { ImageReader } from '../registry/contract.ts';
import { doubtBlob, wholeBlob } from './blob-trust.ts';
import { blobKey, builtKey, linkBytes } from './layout.ts';
import { readLink, readObject } from './links.ts';
import type { ObjectStore } from './object-store.ts';
import { openBlob } from './stored-blobs.ts';

export interface BuiltImages {
  /** The digest of the image's manifest, by tag. All spellings of a name are equal. */
  find(name: Reference): Promise<Digest | undefined>;
  /** Stores the manifest, whose blobs must be there, then points the name to it. After a power cut an incomplete record counts as absent. */
  record(name: Reference, manifest: RawManifest): Promise<void>;
  /** Reads any manifest and blob of the store by its digest, independent of repositories. */
  readonly reader: ImageReader;
}

export function builtImages(objects: ObjectStore): BuiltImages {
  const getManifest: ImageReader['getManifest'] = async (_, digest) => {
    const bytes = isDigest(digest) ? await readObject(objects, blobKey(digest)) : undefined;
    if (!bytes || !isDigest(digest))
      throw new ImagesError('MANIFEST_UNKNOWN', `no such manifest in the store [${digest}]`);
    if (digestOf(bytes, digestAlgorithm(digest)) !== digest) await doubtBlob(objects, digest);
    verifyBytes(bytes, { digest });
    return rawManifest(bytes);
  };
  const find: BuiltImages['find'] = async (name) => {
    const digest = await readLink(objects, keyOf(name));
    const bytes = digest && (await readObject(objects, blobKey(digest)));
    return digest && bytes && digestOf(bytes, digestAlgorithm(digest)) === digest ? digest : undefined;
  };
  /** What is there may be relied on by a repository: only what is no such manifest is replaced. */
  async function putManifest(digest: Digest, bytes: Uint8Array): Promise<void> {
    if (await objects.put(blobKey(digest), bytes, { ifAbsent: true })) return;
    const there = await readObject(objects, blobKey(digest));
    if (there && digestOf(there, digestAlgorithm(digest)) === digest) await objects.touch(blobKey(digest));
    else await objects.put(blobKey(digest), bytes);
  }

  return {
    find,
    record: async (name, { digest, bytes }) => {
      if ((await find(name)) === digest) return await objects.touch(blobKey(digest));
      await putManifest(digest, bytes);
      await objects.put(keyOf(name), linkBytes(digest), { volatile: true });
    },
    reader: {
      getManifest,
      statManifest: async (repository, reference) => {
        if (!isDigest(reference) || !(await objects.stat(blobKey(reference)))) return undefined;
        const { mediaType, digest, size } = await getManifest(repository, reference);
        return { mediaType, digest, size };
      },
      getBlob: async (_, digest, options = {}) => {
        const size = (await wholeBlob(objects, digest))?.size;
        const body = size === undefined ? undefined : await openBlob(objects, { digest, size }, options);
        if (size === undefined || !body) throw new ImagesError('BLOB_UNKNOWN', `no such blob in the store [${digest}]`);
        return { descriptor: { mediaType: 'application/octet-stream', digest, size }, body };
      },
      statBlob: async (_, digest) => {
        const found = await wholeBlob(objects, digest);
        return found && { mediaType: 'application/octet-stream', digest, size: found.size };
      },
      async *referrers() {},
    },
  };
}

function keyOf(name: Reference): string {
  const { host, path, tag = DEFAULT_TAG } = fullReference(name);
  return builtKey(host, path, tag);
}
