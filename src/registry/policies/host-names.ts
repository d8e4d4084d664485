// A policy: accepts names with hosts for a registry whose repositories have none. name-lookup.ts has the look-up rule.
import { mergeSortedBy } from '../../io/streams/merge-sorted.ts';
import type { Digest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import { decodeManifest, type RawManifest, successors } from '../../oci/manifest.ts';
import type { Registry } from '../contract.ts';
import { firstFound, firstOf, withoutHost } from './candidate-lookup.ts';
import { tagsOfCandidates } from './candidate-tags.ts';
import { FORWARD, forwarding } from './forwarding.ts';
import type { NameRecord, NameRecords } from './full-names.ts';
import { candidates, repositories, repositoryCandidates, spellings } from './name-lookup.ts';

/**
 * Reads accept a name with a host (`options.host`, or at the beginning of the name) or without; `alpine` finds `library/alpine` and the reverse.
 * Writes and the catalogue use names as they are given. Deleting a tag also deletes the full names that are recorded for the same image
 * under this tag.
 */
export function hostNames(registry: Registry, names: NameRecords): Registry {
  return forwarding<Registry>(registry, {
    ...readsByCandidates(registry, names),
    ...writesWithRecords(registry, names),
    putBlob: FORWARD,
    openUpload: FORWARD,
    mountBlob: FORWARD,
    deleteBlob: FORWARD,
    repositories: FORWARD,
    partialBytes: FORWARD,
  });
}

type Reads = Pick<Registry, 'getManifest' | 'statManifest' | 'getBlob' | 'statBlob' | 'tags' | 'referrers'>;

function readsByCandidates(registry: Registry, names: NameRecords): Reads {
  return {
    getManifest: async (repository, reference, options) => {
      const { host, inner } = withoutHost(options);
      return await firstOf(registry, candidates(names, { repository, reference, host }), {
        ask: (candidate) => registry.getManifest(candidate.repository, candidate.reference, inner),
        repository,
        host,
        code: 'MANIFEST_UNKNOWN',
        none: `no such manifest in ${fullName(repository, host)} [${reference}]`,
      });
    },
    statManifest: async (repository, reference, options) => {
      const { host, inner } = withoutHost(options);
      return await firstFound(candidates(names, { repository, reference, host }), (candidate) =>
        registry.statManifest(candidate.repository, candidate.reference, inner),
      );
    },
    getBlob: async (repository, digest, options) => {
      const { host, inner } = withoutHost(options);
      return await firstOf(registry, repositoryCandidates(repository, host), {
        ask: (name) => registry.getBlob(name, digest, inner),
        repository,
        host,
        code: 'BLOB_UNKNOWN',
        none: `no such blob in ${fullName(repository, host)} [${digest}]`,
      });
    },
    statBlob: async (repository, digest, options) => {
      const { host, inner } = withoutHost(options);
      return await firstFound(repositoryCandidates(repository, host), (name) => registry.statBlob(name, digest, inner));
    },
    tags: (repository, after = '', options) => tagsOfCandidates(registry, names, { repository, after, options }),
    referrers: (repository, subject, artifactType, options) => {
      const { host, inner } = withoutHost(options);
      const streams = repositories(repository, host).map((name) =>
        registry.referrers(name, subject, artifactType, inner),
      );
      return mergeSortedBy(({ digest }) => digest, streams);
    },
  };
}

type Writes = Pick<Registry, 'putManifest' | 'deleteTag' | 'deleteManifest'>;

function writesWithRecords(registry: Registry, names: NameRecords): Writes {
  return {
    putManifest: async (repository, manifest, tags, options) => {
      try {
        await registry.putManifest(repository, manifest, tags, options);
      } catch (error) {
        if (!isImagesError(error, 'MANIFEST_BLOB_UNKNOWN')) throw error;
        await adoptBlobs(registry, repository, manifest);
        await registry.putManifest(repository, manifest, tags, options);
      }
    },
    deleteTag: async (repository, tag, options) => {
      const descriptor = await registry.statManifest(repository, tag, options);
      await registry.deleteTag(repository, tag, options);
      if (descriptor) await forget(names, { repository, digest: descriptor.digest, tag });
    },
    deleteManifest: async (repository, digest, options) => {
      await registry.deleteManifest(repository, digest, options);
      await forget(names, { repository, digest });
    },
  };
}

/** Links blobs into the repository that the client was told are there, under another spelling of the name, and so did not push. */
async function adoptBlobs(registry: Registry, repository: string, manifest: RawManifest): Promise<void> {
  for (const digest of new Set(successors(decodeManifest(manifest)).blobs.map((blob) => blob.digest))) {
    if (await registry.statBlob(repository, digest)) continue;
    for (const name of repositories(repository)) {
      if ((await registry.statBlob(name, digest)) && (await registry.mountBlob(repository, digest, name))) break;
    }
  }
}

async function recordsOf(names: NameRecords, path: string, tag: string): Promise<readonly NameRecord[]> {
  return (await names.hostsOf(path, tag)).map((record) => ({ ...record, path, tag }));
}

/** Deletes the full names of this path that point to the image. */
async function forget(
  names: NameRecords,
  { repository, digest, tag }: { readonly repository: string; readonly digest: Digest; readonly tag?: string },
): Promise<void> {
  for (const path of spellings(repository)) {
    const records = tag === undefined ? names.ofPath(path) : await recordsOf(names, path, tag);
    for await (const record of records) {
      if (record.digest === digest) await names.delete(record.host, record.path, record.tag);
    }
  }
}

function fullName(repository: string, host: string | undefined): string {
  return host === undefined ? repository : `${host}/${repository}`;
}
