// Mends what a check of the store found: fetches damaged and missing blobs from where their images came from, writes links, and deletes what leads nowhere.

import { createLimiter } from '../../io/concurrency/limiter.ts';
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import type { RepairEvent } from '../../observe/housekeeping.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { type FullReference, formatReference, tryParseReference } from '../../oci/reference.ts';
import type { ReadPace } from '../../storage/blobs.ts';
import { findFaults, type StoreFaults } from '../../storage/check/find-faults.ts';
import type { LostBlob, StoreFault } from '../../storage/check/findings.ts';
import { mendLink } from '../../storage/check/mend-links.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import type { CheckedParts } from './checked-images.ts';
import type { ImageHosts } from './registry-clients.ts';

export interface LeftFault extends StoreFault {
  /** Why it could not be mended; absent if nothing was tried. */
  readonly why?: string;
  readonly hint: string;
}

type UnmendedFault = StoreFault & { readonly why?: string };

export interface Repair {
  readonly mended: readonly StoreFault[];
  readonly faults: readonly UnmendedFault[];
}

export interface RepairOptions extends CallOptions {
  readonly store: EmbeddedStore;
  /** The registries that images come from. Asked for when the first blob is to be fetched. */
  readonly hosts: () => Promise<Pick<ImageHosts, 'registryOf'>>;
  /** How many blobs are fetched at once, and at most. Default: 3, and as many as are lost. */
  readonly atOnce?: number;
  readonly most?: number;
  /** Told of what is fetched: it may wait. */
  readonly pace?: ReadPace;
  /** Mends only these faults, of these repositories. */
  readonly only?: Pick<CheckedParts, 'repositories' | 'isMeant'>;
  /** As in `StoreFaultsOptions`. */
  readonly betweenMs?: number;
  readonly onEvent?: (event: RepairEvent) => void;
}

/** A manifest that comes back can show that its layers are missing, and a blob that comes back lets its link be written. */
const ROUNDS = 5;
const AT_ONCE = 3;

/** Every blob is fetched once at most. A host that cannot be reached is asked once. Errors: the signal's reason; what is mended until then stays so. */
export async function repairStore(check: StoreFaults, options: RepairOptions): Promise<Repair> {
  const { store, only, signal, betweenMs, onEvent } = options;
  const fetcher = blobFetcher(options);
  const mended: StoreFault[] = [];
  let faults = meantOf(check, only);
  let blocked: string | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const before = mended.length;
    const done = (fault: StoreFault) => {
      mended.push(fault);
      onEvent?.({ type: 'mended', fault });
    };
    await createLimiter(options.atOnce ?? AT_ONCE).map(
      faults.lost.toSorted((a, b) => Number(b.isManifest) - Number(a.isManifest)),
      async (blob) => {
        if (!(await fetcher.fetch(blob))) return;
        const fault = faults.findings.find(({ digest, kind }) => digest === blob.digest && kind.endsWith('-blob'));
        if (fault) done(fault);
      },
      signal,
    );
    try {
      for (const fault of faults.findings) {
        signal?.throwIfAborted();
        if (await mendLink(store, fault)) done(fault);
      }
    } catch (error) {
      if (!isUnwritable(error)) throw error;
      blocked = error.message;
    }
    if (mended.length === before || blocked !== undefined) break;
    const found = await findFaults(store, {
      ...(only && { repositories: only.repositories }),
      ...(signal && { signal }),
      ...(betweenMs !== undefined && { betweenMs }),
    });
    faults = meantOf(found, only);
  }
  const isMended = new Set(blocked === undefined ? [] : mended);
  const left = faults.findings.filter((fault) => !isMended.has(fault));
  const why = ({ digest, mend }: StoreFault) =>
    (digest && fetcher.failures.get(digest)) ?? (mend === 'write' || mend === 'delete' ? blocked : undefined);
  return { mended, faults: left.map((fault) => ({ ...fault, ...whyOf(why(fault)) })) };
}

function meantOf(faults: StoreFaults, only: RepairOptions['only']): StoreFaults {
  if (!only) return faults;
  const findings = faults.findings.filter(only.isMeant);
  const digests = new Set(findings.map(({ digest }) => digest));
  return { ...faults, findings, lost: faults.lost.filter(({ digest }) => digests.has(digest)) };
}

function whyOf(why: string | undefined): { readonly why?: string } {
  return why === undefined ? {} : { why };
}

interface BlobFetcher {
  /** Returns false if it could not be fetched, or was tried before. */
  fetch(blob: LostBlob): Promise<boolean>;
  /** By digest: why. */
  readonly failures: ReadonlyMap<Digest, string>;
}

function blobFetcher({ store, hosts, most, pace, signal, onEvent }: RepairOptions): BlobFetcher {
  const call = signal ? { signal } : {};
  const tried = new Set<Digest>();
  const failures = new Map<Digest, string>();
  /** By host: how it failed. */
  const offline = new Map<string, string>();
  let unwritable: string | undefined;

  async function fetchFrom({ digest, size, isManifest }: LostBlob, origin: FullReference): Promise<void> {
    const registry = (await hosts()).registryOf(origin);
    if (isManifest) {
      const { bytes } = await registry.getManifest(origin.path, digest, call);
      await store.blobs.put(digest, bytes, async () => []);
      return;
    }
    const stated = size ?? (await registry.statBlob(origin.path, digest, call))?.size;
    if (stated === undefined) throw new ImagesError('BLOB_UNKNOWN', `${origin.host} does not have it`);
    const blob = { mediaType: 'application/octet-stream', digest, size: stated };
    const open = async (from: number) =>
      paced((await registry.getBlob(origin.path, digest, { ...call, from, size: stated })).body, pace);
    await store.blobs.write(blob, open, call);
  }

  return {
    failures,
    fetch: async (blob) => {
      const { digest } = blob;
      if (tried.has(digest)) return false;
      if (most !== undefined && tried.size >= most) {
        failures.set(digest, 'much is fetched already: the next check goes on');
        return false;
      }
      tried.add(digest);
      failures.delete(digest);
      for (const origin of await originsOf(store, blob)) {
        const said = unwritable ?? offline.get(origin.host);
        if (said !== undefined) {
          failures.set(digest, said);
          continue;
        }
        onEvent?.({ type: 'fetching', digest, from: formatReference(origin) });
        try {
          await fetchFrom(blob, origin);
          failures.delete(digest);
          return true;
        } catch (error) {
          signal?.throwIfAborted();
          if (!isImagesError(error)) throw error;
          failures.set(digest, error.message);
          if (isUnwritable(error)) unwritable = error.message;
          if (isImagesError(error, 'UNREACHABLE', 'TIMEOUT')) offline.set(origin.host, error.message);
        }
      }
      return false;
    },
  };
}

async function* paced(body: Bytes, pace: ReadPace | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    await pace?.(chunk.length);
    yield chunk;
  }
}

/** Where images of the repositories that name the blob came from, most likely ones first. */
async function originsOf(store: EmbeddedStore, { repositories, images }: LostBlob): Promise<readonly FullReference[]> {
  const likely = new Map<string, FullReference>();
  const other = new Map<string, FullReference>();
  for (const repository of repositories) {
    for await (const { host, path, tag } of store.names.ofPath(repository)) {
      const isNamed = images.includes(`${repository}:${tag}`);
      (isNamed ? likely : other).set(`${host}/${path}`, { host, path });
    }
    // With --include-host, repositories are named as at their hosts.
    const { host, path } = tryParseReference(repository) ?? {};
    if (host && path) other.set(repository, { host, path });
  }
  return [...new Map([...likely, ...other]).values()];
}

function isUnwritable(error: unknown): error is Error {
  return isImagesError(error, 'NO_SPACE', 'READ_ONLY', 'NO_ACCESS');
}

/** What a user can do about a fault. */
export function hintOf({ kind, mend, images }: StoreFault, wasRepaired: boolean): string {
  if (mend !== 'none' && !wasRepaired) return '`images lreg_check --repair` mends it, if it can.';
  if (images.length === 0)
    return kind === 'damaged-blob' ? 'Nothing needs it: `images lreg_gc` removes it.' : 'Nothing is lost with it.';
  const [first = ''] = images;
  if (first.endsWith('(built here)')) return 'Build the image again with --no-cache.';
  return `Push the image again, or \`images lreg_cache --force\` it from its registry, or remove it: \`images lreg_rm ${first}\`.`;
}
