// Images that were built here: their names, and reading them. The registry does not list them. Uploading one only takes links.
import { joined } from '../../io/streams/joined.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { type RawManifest, rawManifest, verifyBytes } from '../../oci/manifest.ts';
import { DEFAULT_TAG, fullReference, type Reference } from '../../oci/reference.ts';
import type { ImageReader } from '../../registry/contract.ts';
import { builtKey } from '../layout/image-keys.ts';
import { linkBytes } from '../layout/registry-keys.ts';
import { readLink } from '../repositories/links.ts';
import { openBlob } from '../repositories/stored-blobs.ts';
import type { Store } from '../store.ts';

export interface BuiltImages {
  /** The digest of the image's manifest, by tag. All spellings of a name are equal. */
  find(name: Reference): Promise<Digest | undefined>;
  /** Stores the manifest, whose blobs must be there, then points the name to it. After a power cut an incomplete record counts as absent. */
  record(name: Reference, manifest: RawManifest): Promise<void>;
  /** Reads any manifest and blob of the store by its digest, independent of repositories. */
  readonly reader: ImageReader;
}

export function builtImages({ objects, blobs }: Store): BuiltImages {
  /** Also reads a blob whose damage is not known yet. Wrong bytes are reported (`isRight`), and the blob is doubted: the next request does not find it. */
  async function read(digest: Digest): Promise<{ readonly bytes: Uint8Array; readonly isRight: boolean } | undefined> {
    const body = (await blobs.find(digest)) && (await blobs.read(digest));
    if (!body) return undefined;
    const bytes = await joined(body);
    const isRight = digestOf(bytes, digestAlgorithm(digest)) === digest;
    if (!isRight) await blobs.doubt(digest);
    return { bytes, isRight };
  }
  const getManifest: ImageReader['getManifest'] = async (_, digest) => {
    const found = isDigest(digest) ? await read(digest) : undefined;
    if (!found || !isDigest(digest))
      throw new ImagesError('MANIFEST_UNKNOWN', `no such manifest in the store [${digest}]`);
    verifyBytes(found.bytes, { digest });
    return rawManifest(found.bytes);
  };
  const find: BuiltImages['find'] = async (name) => {
    const digest = await readLink(objects, keyOf(name));
    return digest && (await read(digest))?.isRight ? digest : undefined;
  };

  return {
    find,
    record: async (name, manifest) => {
      if ((await find(name)) === manifest.digest && (await blobs.use(manifest.digest))) return;
      await blobs.write(manifest, async () => oneChunk(manifest.bytes), { durable: false });
      await objects.put(keyOf(name), linkBytes(manifest.digest), { volatile: true });
    },
    reader: {
      getManifest,
      statManifest: async (repository, reference) => {
        if (!isDigest(reference) || !(await blobs.find(reference))) return undefined;
        const { mediaType, digest, size } = await getManifest(repository, reference);
        return { mediaType, digest, size };
      },
      getBlob: async (_, digest, options = {}) => {
        const found = await blobs.find(digest);
        const body = found && (await openBlob(blobs, found, options));
        if (!body) throw new ImagesError('BLOB_UNKNOWN', `no such blob in the store [${digest}]`);
        return { descriptor: { mediaType: 'application/octet-stream', digest, size: found.size }, body };
      },
      statBlob: async (_, digest) => {
        const found = await blobs.find(digest);
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
