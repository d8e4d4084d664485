// What meets in the races of the collector: one blob that nobody has used for days, collectors that have seen it so, and those who use it or bring it again.
import { blobOf, bytesOf, collect } from '../../../test/contract/content.ts';
import { ownIdentity } from '../../io/concurrency/process-identity.ts';
import { type Blobs, KEPT_MS, type StoredBlob } from '../blobs.ts';
import { memoryStore, stagedStore } from '../drivers/staged-store.ts';
import { blobKey, linkBytes, markKey } from '../layout/registry-keys.ts';
import { ASIDE } from '../layout/store-keys.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { Store } from '../store.ts';
import type { Actor, Scene } from './interleavings.ts';
import { type Acknowledged, linkOf, PUSHERS, type PusherName, readBack } from './pushers.ts';
import { syncedMemory } from './synced-memory.ts';

const BLOB = blobOf(bytesOf('layer', 300));
const { digest } = BLOB.descriptor;
/** Of a process that does not run. */
const DEAD = '1.1.dead';

/** A store loads its collector, the walk over all blobs and what hashes them when it first needs them. That takes its time, and is no step of an actor. */
const loaded = Promise.all([
  memoryStore().blobs.collect([]),
  Array.fromAsync(memoryStore().blobs.all()),
  import('../../io/streams/hashed-bytes.ts'),
]);

/**
 * Who takes part. `foreign`: docker-registry, which looks, then refers, and records no use. `looking`: a collector that looks once more for what refers to the
 * blob. `walk`: somebody who looks at all blobs. `killedAt`: a collector that is killed before this call.
 */
export type Part =
  | PusherName
  | 'foreign'
  | 'collector'
  | 'looking'
  | 'collection'
  | 'reader'
  | 'walk'
  | { readonly killedAt: number };

export interface Counts {
  deleted: number;
  spared: number;
  acknowledged: number;
}

export interface RaceOptions {
  /** Built without waiting for the disk: it has a mark. */
  readonly isBuilt?: boolean;
  /** A process was killed that had deleted it: there is its mark alone. */
  readonly isLeft?: boolean;
  readonly counts: Counts;
}

/** A scene in memory with these parts. */
export async function race(
  parts: readonly Part[],
  { isBuilt = false, isLeft = false, counts }: RaceOptions,
): Promise<Scene> {
  await loaded;
  let now = new Date(0);
  const clock = { now: () => now };
  const { objects, isSynced } = syncedMemory(clock);
  const store = stagedStore(objects, clock);
  await PUSHERS[isBuilt ? 'build' : 'put'](store, BLOB);
  if (isLeft) await objects.delete([blobKey(digest)]);
  now = new Date(10 * KEPT_MS);
  const seen = await Array.fromAsync(store.blobs.all());
  let acknowledged: Acknowledged | undefined;
  let hasLooked = false;

  const storeOf = (its: ObjectStore) => stagedStore(its, clock);
  const actorOf = (part: Part): Actor => {
    if (part === 'collector') return { name: part, run: async (its) => note(await storeOf(its).blobs.collect(seen)) };
    if (part === 'looking') return { name: part, run: async (its) => note(await lookingCollection(its)) };
    if (part === 'foreign') return { name: part, run: foreignPush };
    if (part === 'collection') return { name: part, run: async (its) => note(await collection(storeOf(its), now)) };
    if (part === 'walk')
      return { name: part, run: async (its) => void (await Array.fromAsync(storeOf(its).blobs.all())) };
    if (part === 'reader') return { name: part, run: async (its) => await readIfThere(storeOf(its).blobs) };
    if (typeof part === 'object') {
      const run: Actor['run'] = async (its) => void (await storeOf(ofDeadProcess(its)).blobs.collect(seen));
      return { name: 'killed collector', run, killedAt: part.killedAt };
    }
    return {
      name: part,
      run: async (its) => {
        const told = await PUSHERS[part](storeOf(its), BLOB);
        if (acknowledged !== 'durable') acknowledged = told ?? acknowledged;
      },
    };
  };

  async function lookingCollection(its: ObjectStore): Promise<readonly StoredBlob[]> {
    const lastLook = async () => {
      const isNamed = (await its.stat(linkOf(BLOB))) !== undefined;
      hasLooked = true;
      return () => isNamed;
    };
    return await storeOf(its).blobs.collect(seen, { lastLook });
  }

  /** What it has named when the collector looks for the last time is there afterwards. */
  async function foreignPush(its: ObjectStore): Promise<void> {
    if (!(await its.stat(blobKey(digest)))) return;
    await its.put(linkOf(BLOB), linkBytes(digest));
    if (!hasLooked) acknowledged ??= 'there';
  }

  function note(deleted: readonly StoredBlob[]): void {
    if (deleted.length > 0) counts.deleted += 1;
    else counts.spared += 1;
  }

  return {
    objects,
    actors: parts.map(actorOf),
    check: async () => {
      const [isThere, isMarked] = [await objects.stat(blobKey(digest)), await objects.stat(markKey(digest))];
      if (isThere && !isMarked && !isSynced(blobKey(digest))) throw new Error('a blob is trusted that is not on disk');
    },
    end: async () => {
      const isWhole = async () => {
        if (acknowledged === undefined) return;
        await readBack(store.blobs, BLOB);
        if (acknowledged === 'durable' && !isSynced(blobKey(digest))) throw new Error('what is durable is not on disk');
      };
      await isWhole();
      if (acknowledged) counts.acknowledged += 1;
      await collection(store, now);
      await isWhole();
      const left = await objects.children(ASIDE);
      if (left.length > 0) throw new Error(`left aside: ${left}`);
    },
  };
}

/** A collection from its beginning: what is old and has no link is deleted. */
async function collection({ objects, blobs }: Store, now: Date): Promise<readonly StoredBlob[]> {
  const all = await Array.fromAsync(blobs.all());
  const old = all.filter((blob) => now.getTime() - blob.used.getTime() >= KEPT_MS);
  return (await objects.stat(linkOf(BLOB))) ? [] : await blobs.collect(old);
}

async function readIfThere(blobs: Blobs): Promise<void> {
  if (!(await blobs.find(digest))) return;
  const body = await blobs.readVerified(BLOB.descriptor);
  if (body && Buffer.compare(await collect(body), BLOB.bytes) !== 0) throw new Error('these are other bytes');
}

/** What this actor puts aside has the name of a process that does not run. */
export function ofDeadProcess(objects: ObjectStore): ObjectStore {
  const renamed = (key: string) => key.replace(ownIdentity(), DEAD);
  return {
    ...objects,
    stat: (key) => objects.stat(renamed(key)),
    sync: (keys, options) => objects.sync(keys.map(renamed), options),
    move: (from, to, options) => objects.move(renamed(from), renamed(to), options),
    delete: (keys) => objects.delete(keys.map(renamed)),
  };
}
