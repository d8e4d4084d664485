// Garbage collection. First manifests that lost their last tag go, then blobs that no manifest names, then the links to them. It runs while others push, pull, copy
// and build, in this and in other processes (blobs.ts tells why that loses nothing).
//
// Nothing is deleted because a record is missing: stores of earlier versions, and what docker-registry has pushed, have none. So all manifests are read each
// time, and whatever looks like a digest in one is kept.
import type { Digest } from '../../oci/digest.ts';
import type { DigestSet } from '../../oci/digest-set.ts';
import { type StoredBlob, USE_STEP_MS } from '../blobs.ts';
import { sweepForgotten } from '../repositories/expiry.ts';
import { noteCollected } from '../repositories/last-collection.ts';
import { restorePinned } from '../repositories/restore-pinned.ts';
import type { RegistryStore } from '../store.ts';
import { deleteBuildSteps, digestsOfBuilds } from './build-references.ts';
import { deleteLinks, type LinksOfGarbage, linksOf } from './layer-links.ts';
import { lookAgain } from './look-again.ts';
import { digestsOfManifests } from './manifest-references.ts';
import { retain } from './retain.ts';
import { retainFetched } from './retain-fetched.ts';
import { type Collection, type CollectionOptions, type CollectionRun, collectionRun, STEP } from './run.ts';
import { type Leap, storeTime } from './store-time.ts';
import { removeUntagged } from './untagged.ts';

/** In milliseconds. What was written or used more recently is no garbage: a push that is under way names it soon. */
const GRACE_MS = 2 * USE_STEP_MS;
/** In milliseconds. Blobs that only builds name are a cache. */
const BUILD_CACHE_MS = 14 * 24 * 3600 * 1000;
const OLDER_THAN_MS = 7 * 24 * 3600 * 1000;
/** Once `most` blobs are found, those that links protect are taken out. If more than this share of `most` is left, they are enough for one collection. */
const WORTH_LOOKING = 0.9;
/** Bounds the memory of one collection. */
const MOST = 100_000;

/**
 * Deletes what nothing names and nobody uses; returns what is gone. Errors: NO_ACCESS, READ_ONLY, NO_SPACE; the signal's reason. What was deleted before the
 * error stays deleted; nothing else is lost.
 */
export async function collectStore(store: RegistryStore, options: CollectionOptions = {}): Promise<Collection> {
  const { dryRun = false, keepUntagged = false, olderThanMs = OLDER_THAN_MS } = options;
  const steps = collectionRun(options);
  const startedAt = Date.now();
  const { ageOf, leap } = await storeTime(store, { now: startedAt, isRecorded: !dryRun, step: steps.step });
  const run = { ...steps, ageOf };
  const mayRemove = dryRun || (await restorePinned(store));
  const retention = mayRemove ? options.retention : undefined;
  const retained = await retain(store, retention ?? { rules: [] }, { ...run, dryRun });
  const unpulled = await retainFetched(store, retention?.fetchedMs, { ...run, dryRun });
  const manifests = keepUntagged || !mayRemove ? [] : await removeUntagged(store, { ...run, dryRun, olderThanMs });
  const { named, unreadable } = await digestsOfManifests(store, {
    ...run,
    without: dryRun ? [...retained.manifests, ...unpulled.manifests, ...manifests] : [],
  });
  const builds = await digestsOfBuilds(store, run);
  for (const digest of builds.images) named.add(digest);

  const byRules = {
    tags: [...retained.tags, ...unpulled.tags],
    retentionWaits: retained.waits,
    ...(leap && { leap: shown(leap) }),
  };
  const { garbage, recent, isMore, links } = await findGarbage(store, {
    ...run,
    startedAt,
    most: options.most ?? MOST,
    isNamed: ({ digest }, unusedMs) => named.has(digest) || (builds.steps.has(digest) && unusedMs < BUILD_CACHE_MS),
    unreadable,
  });
  const goes = [...garbage.values()];
  if (dryRun) return { ...byRules, manifests, ...sumOf(goes), recent, isMore };

  const collected = await deleteBlobs(store, goes, { ...run, links, named });
  await deleteBuildSteps(store, new Set(collected.map(({ digest }) => digest)), run);
  await sweepForgotten(store.blobs);
  // A collection that could delete nothing would find the same garbage if it went on at once.
  if (!isMore || collected.length === 0) await noteCollected(store.objects);
  return { ...byRules, manifests, ...sumOf(collected), recent, isMore };
}

interface GarbageSearch extends CollectionRun {
  /** In milliseconds since 1970, as `StoredBlob.used`. */
  readonly startedAt: number;
  readonly most: number;
  /** Whether something names the blob, which nobody has used for so long. */
  isNamed(blob: StoredBlob, unusedMs: number): boolean;
  readonly unreadable: Parameters<typeof linksOf>[2]['unreadable'];
}

interface Garbage {
  readonly garbage: ReadonlyMap<Digest, StoredBlob>;
  readonly links: LinksOfGarbage;
  /** What nothing names and somebody has just used. */
  readonly recent: { readonly blobs: number; readonly bytes: number };
  readonly isMore: boolean;
}

/** About `most` blobs that nothing names, no link protects, and nobody has used lately. */
async function findGarbage(
  store: RegistryStore,
  { startedAt, most, isNamed, unreadable, ...run }: GarbageSearch,
): Promise<Garbage> {
  const recent = { blobs: 0, bytes: 0 };
  const garbage = new Map<Digest, StoredBlob>();
  const linksNow = () => linksOf(store.objects, garbage, { ...run, unreadable, before: startedAt - GRACE_MS });
  let isMore = false;
  let seen = 0;
  for await (const blob of store.blobs.all()) {
    if (++seen % STEP === 0) {
      run.onEvent?.({ type: 'looking', blobs: seen });
      await run.step();
    }
    const unusedMs = startedAt - blob.used.getTime();
    if (isNamed(blob, unusedMs)) continue;
    if (unusedMs < GRACE_MS) {
      recent.blobs += 1;
      recent.bytes += blob.size;
      continue;
    }
    if (garbage.size >= most) {
      // What links protect must not hide the garbage that comes after it.
      await linksNow();
      isMore = garbage.size > most * WORTH_LOOKING;
      if (isMore) break;
    }
    garbage.set(blob.digest, blob);
  }
  return { garbage, links: await linksNow(), recent, isMore };
}

/** A look at what was named meanwhile costs so much as deleting the blobs of a batch, at most; but a batch has no more blobs than this. */
const LARGEST_BATCH = 4096;

interface Deletion extends CollectionRun {
  readonly links: LinksOfGarbage;
  readonly named: DigestSet;
}

async function deleteBlobs(
  store: RegistryStore,
  goes: readonly StoredBlob[],
  { links, named, ...run }: Deletion,
): Promise<readonly StoredBlob[]> {
  const collected: StoredBlob[] = [];
  let [bytes, batch] = [0, STEP];
  const lastLook = async () => {
    const { unreadable, cost } = await lookAgain(store, named, run);
    batch = Math.min(Math.max(STEP, cost), LARGEST_BATCH);
    return (digest: Digest) => named.has(digest) || (links.get(digest) ?? []).some((name) => unreadable.has(name));
  };
  for (let at = 0, end = 0; at < goes.length; at = end) {
    await run.step();
    end = at + batch;
    const gone = await store.blobs.collect(goes.slice(at, end), { lastLook });
    await deleteLinks(store, gone, links);
    for (const blob of gone) {
      collected.push(blob);
      bytes += blob.size;
    }
    run.onEvent?.({ type: 'deleting', blobs: collected.length, bytes });
  }
  return collected;
}

function shown({ from, to }: Leap): Collection['leap'] & object {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

function sumOf(blobs: readonly StoredBlob[]): { readonly blobs: number; readonly bytes: number } {
  return { blobs: blobs.length, bytes: blobs.reduce((sum, { size }) => sum + size, 0) };
}
