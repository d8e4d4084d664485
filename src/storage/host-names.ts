// A policy: names with hosts for a registry whose repositories have none (the look-up rule is in name-lookup).
import type { Digest } from '../oci/digest.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import { decodeManifest, type RawManifest, successors } from '../oci/manifest.ts';
import { tryParseReference } from '../oci/reference.ts';
import type { ReadOptions, Registry } from '../registry/contract.ts';
import { hasHost, namedWithHost, places, repositories, spellings } from './name-lookup.ts';
import type { NameRecords } from './name-records.ts';

/**
 * Reads find what a name means, with its host (`options.host`, or as the name's beginning) or without; `alpine` answers for `library/alpine`
 * and the reverse. What is written, and the catalogue, have the names that they are given. Deleting a tag deletes the full names
 * recorded for the same image under it.
 */
export function hostNames(registry: Registry, names: NameRecords): Registry {
  /** Blobs that a client was told are there, under another spelling, it does not push: they are made the repository's own. */
  async function adoptBlobs(repository: string, manifest: RawManifest): Promise<void> {
    for (const digest of new Set(successors(decodeManifest(manifest)).blobs.map((blob) => blob.digest))) {
      if (await registry.statBlob(repository, digest)) continue;
      for (const name of repositories(repository)) {
        if ((await registry.statBlob(name, digest)) && (await registry.mountBlob(repository, digest, name))) break;
      }
    }
  }

  /** Whether any repository that the name may mean is there. */
  async function exists(repository: string, host: string | undefined): Promise<boolean> {
    for (const name of repositories(repository, host)) if (await isRepository(registry, name)) return true;
    return false;
  }

  async function tagsOf(repository: string, host: string | undefined): Promise<readonly string[] | undefined> {
    const found = new Set<string>();
    let known = false;
    const collect = async (name: string, wanted: (tag: string) => Promise<boolean> | boolean) => {
      try {
        for await (const tag of registry.tags(name)) if (await wanted(tag)) found.add(tag);
        known = true;
      } catch (error) {
        if (!isImagesError(error, 'NAME_UNKNOWN')) throw error;
      }
    };
    if (host === undefined) for (const name of spellings(repository)) await collect(name, () => true);
    const full = host === undefined ? tryParseReference(repository) : { host, path: repository };
    if (full?.host !== undefined) {
      const { path } = full;
      const recorded = await names.tags(full.host, path);
      for (const tag of recorded) found.add(tag);
      known ||= recorded.length > 0;
      for (const name of namedWithHost(path, full.host)) await collect(name, () => true);
      for (const name of spellings(path)) await collect(name, async (tag) => !(await hasHost(names, path, tag)));
    }
    return known ? [...found].sort() : undefined;
  }

  /** Deletes the full names of this path that mean the image. */
  async function forget(repository: string, digest: Digest, tag?: string): Promise<void> {
    for (const spelling of spellings(repository)) {
      for await (const record of names.ofPath(spelling)) {
        if (record.digest !== digest || (tag !== undefined && record.tag !== tag)) continue;
        await names.delete(record.host, record.path, record.tag);
      }
    }
  }

  return {
    ...registry,
    getManifest: async (repository, reference, options) => {
      const { host, inner } = withoutHost(options);
      let repositoryUnknown: ImagesError | undefined;
      for await (const place of places(names, { repository, reference, host })) {
        try {
          return await registry.getManifest(place.repository, place.reference, inner);
        } catch (error) {
          if (!isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) throw error;
          if (error.code === 'NAME_UNKNOWN') repositoryUnknown ??= error;
        }
      }
      if (repositoryUnknown && !(await exists(repository, host))) throw repositoryUnknown;
      throw new ImagesError('MANIFEST_UNKNOWN', `no such manifest in ${fullName(repository, host)} [${reference}]`);
    },
    statManifest: async (repository, reference, options) => {
      const { host, inner } = withoutHost(options);
      for await (const place of places(names, { repository, reference, host })) {
        const found = await registry.statManifest(place.repository, place.reference, inner);
        if (found) return found;
      }
      return undefined;
    },
    getBlob: async (repository, digest, options) => {
      const { host, inner } = withoutHost(options);
      let repositoryUnknown: ImagesError | undefined;
      for (const name of repositories(repository, host)) {
        try {
          return await registry.getBlob(name, digest, inner);
        } catch (error) {
          if (!isImagesError(error, 'BLOB_UNKNOWN', 'NAME_UNKNOWN')) throw error;
          if (error.code === 'NAME_UNKNOWN') repositoryUnknown ??= error;
        }
      }
      if (repositoryUnknown && !(await exists(repository, host))) throw repositoryUnknown;
      throw new ImagesError('BLOB_UNKNOWN', `no such blob in ${fullName(repository, host)} [${digest}]`);
    },
    statBlob: async (repository, digest, options) => {
      const { host, inner } = withoutHost(options);
      for (const name of repositories(repository, host)) {
        const found = await registry.statBlob(name, digest, inner);
        if (found) return found;
      }
      return undefined;
    },
    putManifest: async (repository, manifest, tags, options) => {
      try {
        await registry.putManifest(repository, manifest, tags, options);
      } catch (error) {
        if (!isImagesError(error, 'MANIFEST_BLOB_UNKNOWN')) throw error;
        await adoptBlobs(repository, manifest);
        await registry.putManifest(repository, manifest, tags, options);
      }
    },
    tags: async function* (repository, after = '', options) {
      const { host, inner } = withoutHost(options);
      const found = await tagsOf(repository, host);
      if (found) yield* found.filter((tag) => tag > after);
      else yield* registry.tags(repository, after, inner);
    },
    referrers: async function* (repository, subject, artifactType, options) {
      const { host, inner } = withoutHost(options);
      const seen = new Set<Digest>();
      for (const name of repositories(repository, host)) {
        for await (const descriptor of registry.referrers(name, subject, artifactType, inner)) {
          if (!seen.has(descriptor.digest)) yield descriptor;
          seen.add(descriptor.digest);
        }
      }
    },
    deleteTag: async (repository, tag, options) => {
      const descriptor = await registry.statManifest(repository, tag, options);
      await registry.deleteTag(repository, tag, options);
      if (descriptor) await forget(repository, descriptor.digest, tag);
    },
    deleteManifest: async (repository, digest, options) => {
      await registry.deleteManifest(repository, digest, options);
      await forget(repository, digest);
    },
  };
}

async function isRepository(registry: Registry, name: string): Promise<boolean> {
  try {
    for await (const _ of registry.tags(name)) break;
    return true;
  } catch (error) {
    if (isImagesError(error, 'NAME_UNKNOWN')) return false;
    throw error;
  }
}

function withoutHost<T extends ReadOptions>(
  options: T | undefined,
): { host: string | undefined; inner: Omit<T, 'host'> } {
  const { host, ...inner } = options ?? ({} as T);
  return { host, inner };
}

function fullName(repository: string, host: string | undefined): string {
  return host === undefined ? repository : `${host}/${repository}`;
}
