// A policy: accepts names with hosts for a registry whose repositories have none. name-lookup.ts has the look-up rule.
import { mergeSortedBy } from '../../io/streams/merge-sorted.ts';
import { isImagesError } from '../../oci/errors.ts';
import { decodeManifest, type RawManifest, successors } from '../../oci/manifest.ts';
import type { Registry } from '../contract.ts';
import { firstFound, firstOf, withoutHost } from './candidate-lookup.ts';
import { tagsOfCandidates } from './candidate-tags.ts';
import { FORWARD, forwarding } from './forwarding.ts';
import type { NameRecords } from './full-names.ts';
import { candidates, repositories, repositoryCandidates } from './name-lookup.ts';

/**
 * Reads accept a name with a host (`options.host`, or at the beginning of the name) or without; `alpine` finds `library/alpine` and the reverse.
 * Writes and the catalogue use names as they are given.
 */
export function hostNames(registry: Registry, names: NameRecords): Registry {
  return forwarding<Registry>(registry, {
    ...readsByCandidates(registry, names),
    putManifest: async (repository, manifest, tags, options) => {
      try {
        await registry.putManifest(repository, manifest, tags, options);
      } catch (error) {
        if (!isImagesError(error, 'MANIFEST_BLOB_UNKNOWN')) throw error;
        await adoptBlobs(registry, repository, manifest);
        await registry.putManifest(repository, manifest, tags, options);
      }
    },
    putBlob: FORWARD,
    openUpload: FORWARD,
    mountBlob: FORWARD,
    deleteBlob: FORWARD,
    repositories: FORWARD,
    deleteTag: FORWARD,
    deleteManifest: FORWARD,
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

/** Links blobs into the repository that the client was told are there, under another spelling of the name, and so did not push. */
async function adoptBlobs(registry: Registry, repository: string, manifest: RawManifest): Promise<void> {
  for (const digest of new Set(successors(decodeManifest(manifest)).blobs.map((blob) => blob.digest))) {
    if (await registry.statBlob(repository, digest)) continue;
    for (const name of repositories(repository)) {
      if ((await registry.statBlob(name, digest)) && (await registry.mountBlob(repository, digest, name))) break;
    }
  }
}

function fullName(repository: string, host: string | undefined): string {
  return host === undefined ? repository : `${host}/${repository}`;
}
