// In which repositories of a registry a blob was put, remembered between runs: from there it can be mounted into another one, without its bytes.
// What is wrong of it costs a request.
import { join } from 'node:path';
import { readCacheFile, writeCacheFile } from '../io/cache-file.ts';
import { type Digest, digestAlgorithm, digestHex } from '../oci/digest.ts';

export interface BlobPlaces {
  /** Repositories that had it, the latest first. */
  of(digest: Digest): Promise<readonly string[]>;
  remember(digest: Digest, repository: string): Promise<void>;
  forget(digest: Digest, repository: string): Promise<void>;
}

/** Of one blob: each that is wrong is one request in vain. */
const MOST = 2;

/** Of the registry at this host. `besides`: a repository that is known to have all blobs, as that of an image that is copied within its registry. */
export function blobPlaces(directory: string, host: string, besides?: string): BlobPlaces {
  const place = (digest: Digest) => join(directory, host, digestAlgorithm(digest), digestHex(digest));
  const read = async (digest: Digest): Promise<readonly string[]> => {
    const value = await readCacheFile(place(digest));
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string').slice(0, MOST) : [];
  };
  return {
    of: async (digest) => [...new Set([...(besides === undefined ? [] : [besides]), ...(await read(digest))])],
    async remember(digest, repository) {
      const known = await read(digest);
      if (known[0] === repository) return;
      await writeCacheFile(place(digest), [repository, ...known.filter((one) => one !== repository)].slice(0, MOST));
    },
    async forget(digest, repository) {
      const known = await read(digest);
      if (known.includes(repository)) {
        await writeCacheFile(
          place(digest),
          known.filter((one) => one !== repository),
        );
      }
    },
  };
}
