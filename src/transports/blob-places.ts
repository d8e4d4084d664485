// In which repositories of a registry a blob was put, remembered between runs: from there it can be mounted into another one, without its bytes.
// What is wrong of it costs a request.
import { join } from 'node:path';
import { readCacheFile, writeCacheFile } from '../io/cache-file.ts';
import { type Digest, digestAlgorithm, digestHex } from '../oci/digest.ts';
import { isRepositoryPath } from '../oci/reference.ts';

export interface BlobPlaces {
  /** Repositories that had it, the latest first. */
  of(digest: Digest): Promise<readonly string[]>;
  remember(digest: Digest, repository: string): Promise<void>;
  forget(digest: Digest, repository: string): Promise<void>;
}

/** Of one blob: each that is wrong is one request in vain. */
const MOST = 2;

export interface BlobPlacesOptions {
  /** Where it is remembered; absent: nowhere. */
  readonly directory?: string;
  /** Of the registry. */
  readonly host: string;
  /** A repository that has all blobs: that of the image, where it is copied within its registry. */
  readonly besides?: string;
}

export function blobPlaces({ directory, host, besides }: BlobPlacesOptions): BlobPlaces {
  const place = (digest: Digest) =>
    directory && join(directory, host, digestAlgorithm(digest), digestHex(digest).slice(0, 2), digestHex(digest));
  const read = async (digest: Digest): Promise<readonly string[]> => {
    const path = place(digest);
    const value = path && (await readCacheFile(path));
    return Array.isArray(value) ? value.filter(isRepository).slice(0, MOST) : [];
  };
  const write = async (digest: Digest, repositories: readonly string[]): Promise<void> => {
    const path = place(digest);
    if (path) await writeCacheFile(path, repositories);
  };
  return {
    of: async (digest) => [...new Set([...(besides === undefined ? [] : [besides]), ...(await read(digest))])],
    async remember(digest, repository) {
      const known = await read(digest);
      if (known[0] === repository) return;
      await write(digest, [repository, ...known.filter((one) => one !== repository)].slice(0, MOST));
    },
    async forget(digest, repository) {
      const known = await read(digest);
      const others = known.filter((one) => one !== repository);
      if (others.length < known.length) await write(digest, others);
    },
  };
}

function isRepository(value: unknown): value is string {
  return typeof value === 'string' && isRepositoryPath(value);
}
