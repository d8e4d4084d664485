// A policy: accepts names with hosts for a registry whose repositories have none. name-lookup.ts has the look-up rule.
import { mergeSorted, mergeSortedBy } from '../../io/streams/merge-sorted.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { decodeManifest, type RawManifest, successors } from '../../oci/manifest.ts';
import { tryParseReference } from '../../oci/reference.ts';
import type { ReadOptions, Registry } from '../contract.ts';
import { FORWARD, forwarding } from './forwarding.ts';
import type { NameRecord, NameRecords } from './full-names.ts';
import { candidates, namedWithHost, repositories, spellings } from './name-lookup.ts';

/** What is asked for, and what is said if no candidate has it. */
interface Wanted {
  readonly repository: string;
  readonly host: string | undefined;
  readonly code: 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN';
  readonly none: string;
}

/**
 * Reads accept a name with a host (`options.host`, or at the beginning of the name) or without; `alpine` finds `library/alpine` and the reverse.
 * Writes and the catalogue use names as they are given. Deleting a tag also deletes the full names that are recorded for the same image
 * under this tag.
 */
export function hostNames(registry: Registry, names: NameRecords): Registry {
  /** Links blobs into the repository that the client was told are there, under another spelling of the name, and so did not push. */
  async function adoptBlobs(repository: string, manifest: RawManifest): Promise<void> {
    for (const digest of new Set(successors(decodeManifest(manifest)).blobs.map((blob) => blob.digest))) {
      if (await registry.statBlob(repository, digest)) continue;
      for (const name of repositories(repository)) {
        if ((await registry.statBlob(name, digest)) && (await registry.mountBlob(repository, digest, name))) break;
      }
    }
  }

  /** Whether there is any repository that the name may mean. */
  async function exists(repository: string, host: string | undefined): Promise<boolean> {
    for (const name of repositories(repository, host)) if (await isRepository(registry, name)) return true;
    return false;
  }

  /** Streams of tags from all repositories that the name may mean, each in byte order after `after`; read lazily. Errors: NAME_UNKNOWN if there is none. */
  async function* tagsOf(repository: string, after: string, options: ReadOptions | undefined): AsyncGenerator<string> {
    const { host, inner } = withoutHost(options);
    const full = host === undefined ? tryParseReference(repository) : { host, path: repository };
    let isKnown = false;
    const know = () => {
      isKnown = true;
    };
    const tags = (name: string, unwanted: ReadonlySet<string> = new Set()) =>
      without(unwanted, whereKnown(registry.tags(name, after, { ...inner, unwanted }), know));
    const streams = host === undefined ? spellings(repository).map((name) => tags(name)) : [];
    if (full?.host !== undefined) {
      const { path, host: asked } = full;
      if ((await names.tags(asked, path)).length > 0) know();
      // A tag that is recorded for some host belongs to that host only.
      const recorded = await Promise.all(spellings(path).map((spelling) => names.tagsOfAnyHost(spelling)));
      const ofHosts = new Set(recorded.flatMap((some) => [...some]));
      streams.push(
        recordedTags(names, { host: asked, path, after }),
        ...namedWithHost(path, asked).map((name) => tags(name)),
        ...spellings(path).map((name) => tags(name, ofHosts)),
      );
    }
    yield* mergeSorted(streams);
    if (!isKnown) yield* registry.tags(repository, after, inner);
  }

  /** What the first candidate that is there gives. Errors: `code` with the message `none`, or NAME_UNKNOWN if there is no such repository either. */
  async function firstOf<Candidate, T>(
    candidates: AsyncIterable<Candidate> | Iterable<Candidate>,
    ask: (candidate: Candidate) => Promise<T>,
    { repository, host, code, none }: Wanted,
  ): Promise<T> {
    let repositoryUnknown: ImagesError | undefined;
    for await (const candidate of candidates) {
      try {
        return await ask(candidate);
      } catch (error) {
        if (!isImagesError(error, code, 'NAME_UNKNOWN')) throw error;
        if (error.code === 'NAME_UNKNOWN') repositoryUnknown ??= error;
      }
    }
    if (repositoryUnknown && !(await exists(repository, host))) throw repositoryUnknown;
    throw new ImagesError(code, none);
  }

  async function recordsOf(path: string, tag: string): Promise<readonly NameRecord[]> {
    return (await names.hostsOf(path, tag)).map((record) => ({ ...record, path, tag }));
  }

  /** Deletes the full names of this path that point to the image. */
  async function forget(repository: string, digest: Digest, tag?: string): Promise<void> {
    for (const path of spellings(repository)) {
      const records = tag === undefined ? names.ofPath(path) : await recordsOf(path, tag);
      for await (const record of records) {
        if (record.digest === digest) await names.delete(record.host, record.path, record.tag);
      }
    }
  }

  return forwarding<Registry>(registry, {
    putBlob: FORWARD,
    openUpload: FORWARD,
    mountBlob: FORWARD,
    deleteBlob: FORWARD,
    repositories: FORWARD,
    partialBytes: FORWARD,
    getManifest: async (repository, reference, options) => {
      const { host, inner } = withoutHost(options);
      const none = `no such manifest in ${fullName(repository, host)} [${reference}]`;
      return await firstOf(
        candidates(names, { repository, reference, host }),
        (candidate) => registry.getManifest(candidate.repository, candidate.reference, inner),
        { repository, host, code: 'MANIFEST_UNKNOWN', none },
      );
    },
    statManifest: async (repository, reference, options) => {
      const { host, inner } = withoutHost(options);
      for await (const candidate of candidates(names, { repository, reference, host })) {
        const found = await registry.statManifest(candidate.repository, candidate.reference, inner);
        if (found) return found;
      }
      return undefined;
    },
    getBlob: async (repository, digest, options) => {
      const { host, inner } = withoutHost(options);
      const none = `no such blob in ${fullName(repository, host)} [${digest}]`;
      return await firstOf(repositories(repository, host), (name) => registry.getBlob(name, digest, inner), {
        repository,
        host,
        code: 'BLOB_UNKNOWN',
        none,
      });
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
    tags: (repository, after = '', options) => tagsOf(repository, after, options),
    referrers: (repository, subject, artifactType, options) => {
      const { host, inner } = withoutHost(options);
      const streams = repositories(repository, host).map((name) =>
        registry.referrers(name, subject, artifactType, inner),
      );
      return mergeSortedBy(({ digest }) => digest, streams);
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
  });
}

/** Calls `known` if the repository exists; a repository that does not has no tags. */
async function* whereKnown(tags: AsyncIterable<string>, known: () => void): AsyncGenerator<string> {
  try {
    for await (const tag of tags) {
      known();
      yield tag;
    }
    known();
  } catch (error) {
    if (!isImagesError(error, 'NAME_UNKNOWN')) throw error;
  }
}

async function* recordedTags(
  names: NameRecords,
  { host, path, after }: { readonly host: string; readonly path: string; readonly after: string },
): AsyncGenerator<string> {
  for (const tag of await names.tags(host, path)) if (tag > after && (await names.get(host, path, tag))) yield tag;
}

async function* without(unwanted: ReadonlySet<string>, tags: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const tag of tags) if (!unwanted.has(tag)) yield tag;
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
