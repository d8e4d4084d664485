// Remembers between runs in which repositories of a registry a blob was put, so that it can be mounted from there without sending its bytes. A wrong memory
// costs one request, and its upload session is used for pushing.
import { cacheFolder } from '../io/files/cache-folder.ts';
import { isObject } from '../oci/decode.ts';
import { type Digest, digestHex, digestOf } from '../oci/digest.ts';
import { isRepositoryPath } from '../oci/reference.ts';

export interface MountSources {
  /** Repositories that had the blob, the latest first. */
  of(digest: Digest): Promise<readonly string[]>;
  remember(digest: Digest, repository: string): Promise<void>;
  forget(digest: Digest, repository: string): Promise<void>;
}

/** Repositories remembered for each blob. There are two, because the latest may be the one into which the blob is put. */
const MOST = 2;
/** Blobs remembered for all registries together. */
const MOST_BLOBS = 4000;

export interface MountSourcesOptions {
  /** The directory of the memory. When absent, nothing is remembered. */
  readonly directory?: string;
  /** The host of the registry. */
  readonly host: string;
  /** A repository that has all blobs: that of the source, if the image is copied within its registry. */
  readonly besides?: string;
}

export function mountSources({ directory, host, besides }: MountSourcesOptions): MountSources {
  const folder = directory === undefined ? undefined : cacheFolder(directory, { most: MOST_BLOBS });
  const nameOf = (digest: Digest) => digestHex(digestOf(Buffer.from(`${host}\n${digest}`)));
  const read = async (digest: Digest): Promise<readonly string[]> => {
    const value = await folder?.read(nameOf(digest));
    if (!isObject(value) || value.host !== host || value.digest !== digest) return [];
    return Array.isArray(value.repositories) ? value.repositories.filter(isRepository).slice(0, MOST) : [];
  };
  const write = async (digest: Digest, repositories: readonly string[]): Promise<void> => {
    await folder?.write(nameOf(digest), { host, digest, repositories });
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
