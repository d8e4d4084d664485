// A policy: what is asked for and not here is fetched from its own registry while it is served. It lies over the names with hosts, so what is here is found first,
// and asks before it fetches whether the asker may pull.
import { type Digest, isDigest } from '../../oci/digest.ts';
import { type ImagesError, isImagesError } from '../../oci/errors.ts';
import type { RawManifest } from '../../oci/manifest.ts';
import type { BlobContent, BlobOptions, ReadOptions, Registry } from '../contract.ts';
import { FORWARD, forwarding } from '../policies/forwarding.ts';
import { isLoop, throughMe } from '../via-header.ts';
import { type BlobFetches, blobFetches } from './blob-fetches.ts';
import type { PullThroughOptions, PullThroughStore, UpstreamName } from './contract.ts';
import { type ImageStoring, imageStoring } from './image-storing.ts';
import { type KnownManifests, knownManifests } from './known-manifests.ts';
import { type ManifestFetches, manifestFetches } from './manifest-fetches.ts';
import { loopError, upstreamError } from './upstream-errors.ts';
import { recordedHosts, upstreamName } from './upstream-name.ts';

export interface PullThrough {
  readonly registry: Registry;
  /** Waits until a manifest that is asked for is here, so that nobody holds a permit meanwhile. Errors: those of `getManifest`. */
  prepare(repository: string, reference: string, options?: ReadOptions): Promise<void>;
  /** To be awaited when `signal` has ended all: nothing is written any more afterwards. */
  ended(): Promise<void>;
}

interface Parts {
  readonly known: KnownManifests;
  readonly blobs: BlobFetches;
  readonly images: ImageStoring;
  readonly manifests: ManifestFetches;
}

/** `registry` is what clients see; `store`, what it stands on. */
export function pullThrough(registry: Registry, store: PullThroughStore, options: PullThroughOptions): PullThrough {
  const known = knownManifests(store.pending);
  const blobs = blobFetches(store, options);
  const images = imageStoring({ store, known, blobs }, options);
  const manifests = manifestFetches({ store, known, images }, options);
  const parts = { known, blobs, images, manifests };
  const meant = nameFinder(store, known, options);
  const prepare: PullThrough['prepare'] = async (repository, reference, read = {}) => {
    const { pull: _, ...quiet } = read;
    // A digest that is here is never asked for again.
    if (isDigest(reference) && options.rules() && (await registry.statManifest(repository, reference, quiet))) return;
    const name = await meant(repository, read, reference);
    if (name) await ensured({ registry, parts }, name, { repository, reference, read });
  };
  return {
    registry: forwarding<Registry>(registry, {
      ...reads({ registry, parts, meant }, options),
      // Says what the store holds.
      statManifest: FORWARD,
      putBlob: FORWARD,
      openUpload: FORWARD,
      mountBlob: FORWARD,
      putManifest: FORWARD,
      deleteTag: FORWARD,
      deleteManifest: FORWARD,
      deleteBlob: FORWARD,
      repositories: FORWARD,
      tags: FORWARD,
      referrers: FORWARD,
      partialBytes: FORWARD,
    }),
    prepare,
    ended: async () => {
      await images.settled();
      await blobs.settled();
    },
  };
}

type FindName = (repository: string, options: ReadOptions, reference?: string) => Promise<UpstreamName | undefined>;

/** The repository from which the asker may have something fetched. Errors: DENIED (a loop). */
function nameFinder(store: PullThroughStore, known: KnownManifests, options: PullThroughOptions): FindName {
  return async (repository, { host, via = [] }, reference) => {
    const rules = options.rules();
    if (!rules) return undefined;
    await known.load();
    const name = await upstreamName(repository, host, async (path) => {
      const pending = known.hostsOf(path);
      const tag = reference === undefined || isDigest(reference) ? undefined : reference;
      return new Set([...(await recordedHosts(store.names, path, tag)), ...pending]);
    });
    if (!name || !rules.has(name.host) || !options.mayPull(name.path)) return undefined;
    if (isLoop(via, options.id)) throw loopError(name);
    return name;
  };
}

interface Wanted {
  readonly repository: string;
  readonly reference: string;
  readonly read: ReadOptions;
}

/** Errors of the other registry count only if nothing is here. */
async function ensured(
  { registry, parts }: { readonly registry: Registry; readonly parts: Parts },
  name: UpstreamName,
  { repository, reference, read }: Wanted,
): Promise<void> {
  const { pull: _, ...quiet } = read;
  try {
    await parts.manifests.ensure(name, reference, quiet);
  } catch (error) {
    if (!(await registry.statManifest(repository, reference, quiet))) throw error;
  }
}

type Reads = Pick<Registry, 'getManifest' | 'getBlob' | 'statBlob'>;

interface ReadParts {
  readonly registry: Registry;
  readonly parts: Parts;
  readonly meant: FindName;
}

function reads({ registry, parts, meant }: ReadParts, options: PullThroughOptions): Reads {
  const { known, blobs, images, manifests } = parts;

  /** A pending manifest, if it is what the reference means now. */
  const pendingOf = (name: UpstreamName, reference: string): RawManifest | undefined =>
    isDigest(reference) ? known.get(name, reference)?.manifest : known.tagged({ ...name, tag: reference })?.manifest;

  /** The size at its own registry; `undefined` if that does not have it. */
  async function sizeThere(name: UpstreamName, digest: Digest, read: ReadOptions): Promise<number | undefined> {
    const running = blobs.sizeOf(name, digest);
    if (running !== undefined) return running;
    try {
      const there = await options.upstream(name);
      return (await there.statBlob(name.path, digest, asked(read, options.id)))?.size;
    } catch (error) {
      throw upstreamError(error, name, digest);
    }
  }

  async function fetchBlob(name: UpstreamName, digest: Digest, read: BlobOptions): Promise<BlobContent | undefined> {
    const [named] = known.naming(name, digest);
    const size = named?.blob.size ?? (await sizeThere(name, digest, read));
    if (size === undefined) return undefined;
    const { host: _, ...inner } = read;
    const blob = { mediaType: 'application/octet-stream', digest, size };
    const behalf = throughMe(read, options.id);
    const content = await blobs.get(name, blob, { ...inner, ...behalf });
    images.pulled(name, digest, behalf);
    return content;
  }

  return {
    getManifest: async (repository, reference, read = {}) => {
      if (isDigest(reference) || !options.rules()) {
        try {
          return await registry.getManifest(repository, reference, read);
        } catch (error) {
          if (!isAbsence(error) || !(await meant(repository, read, reference))) throw error;
        }
      }
      const name = await meant(repository, read, reference);
      if (!name) return await registry.getManifest(repository, reference, read);
      await ensured({ registry, parts }, name, { repository, reference, read });
      const pending = pendingOf(name, reference);
      const isPreferred = pending && !isDigest(reference) && !manifests.rests(name.host) && !options.rules()?.isOffline;
      if (pending && isPreferred) return pending;
      try {
        return await registry.getManifest(repository, reference, read);
      } catch (error) {
        if (!isAbsence(error)) throw error;
        if (pending) return pending;
        // Somebody has removed it since it was looked for.
        manifests.forget(name, reference);
        await ensured({ registry, parts }, name, { repository, reference, read });
        return pendingOf(name, reference) ?? (await registry.getManifest(repository, reference, read));
      }
    },
    getBlob: async (repository, digest, read = {}) => {
      try {
        const here = await registry.getBlob(repository, digest, read);
        if (options.rules()) options.onBlobServed?.(true);
        return here;
      } catch (error) {
        if (!isAbsence(error)) throw error;
        const name = options.rules()?.isOffline === false ? await meant(repository, read) : undefined;
        const content = name && (await fetchBlob(name, digest, read));
        if (!content) throw error;
        options.onBlobServed?.(false);
        return content;
      }
    },
    statBlob: async (repository, digest, read = {}) => {
      const found = await registry.statBlob(repository, digest, read);
      if (found || options.rules()?.isOffline !== false) return found;
      const name = await meant(repository, read);
      // Whoever pushes asks what is here, also for what a node is pulling: told of what is elsewhere, it would send nothing, and its manifest be refused.
      const isAsked = read.host !== undefined || (read.pull && name && known.naming(name, digest).length > 0);
      if (!name || !isAsked) return undefined;
      const size = await sizeThere(name, digest, read);
      return size === undefined ? undefined : { mediaType: 'application/octet-stream', digest, size };
    },
  };
}

function asked(read: ReadOptions, id: string): ReadOptions {
  return { ...throughMe(read, id), ...(read.signal && { signal: read.signal }) };
}

function isAbsence(error: unknown): error is ImagesError {
  return isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'BLOB_UNKNOWN');
}
