// Many blobs in a directory that nobody has used for days; they are collected, used and brought again at once, by as many processes as there are.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Blob, blobOf, bytesOf } from '../../../test/contract/content.ts';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { KEPT_MS } from '../blobs.ts';
import { diskStore } from '../drivers/staged-store.ts';
import { BLOBS } from '../layout/registry-keys.ts';
import { ASIDE } from '../layout/store-keys.ts';
import type { Store } from '../store.ts';
import { setBack } from './directories.ts';
import { PUSHER_NAMES, PUSHERS, readBack } from './pushers.ts';

export function blobAt(at: number): Blob {
  return blobOf(bytesOf(`race ${at}`, 300));
}

/** Blobs 0 to `count`, of which every other one was built without waiting for the disk. */
export async function oldBlobs(directory: string, count: number): Promise<void> {
  const store = diskStore(directory);
  await eachOf(count, (at) => PUSHERS[at % 2 === 0 ? 'put' : 'build'](store, blobAt(at)));
  await setBack(join(directory, BLOBS), 10 * KEPT_MS);
}

/** Brings or uses half of them, in one way or another. Returns those that were acknowledged. */
export async function pushAll(store: Store, count: number): Promise<readonly number[]> {
  const told = await eachOf(count, async (at) => {
    await delay(Math.random() * 4);
    const name = PUSHER_NAMES[Math.floor(Math.random() * 2 * PUSHER_NAMES.length)];
    return name && (await PUSHERS[name](store, blobAt(at))) ? [at] : [];
  });
  return told.flat();
}

/** Collects what nobody has used. Returns how many were deleted. */
export async function collectAll(store: Store, ready: () => Promise<void> = async () => {}): Promise<number> {
  const all = await Array.fromAsync(store.blobs.all());
  await ready();
  const seen = all.toSorted((a, b) => orderOf(a.digest) - orderOf(b.digest));
  return (await store.blobs.collect(seen)).length;
}

/** Collects once more, and counts what is not there, whole, though it was acknowledged; and what is left aside. */
export async function afterwards(
  directory: string,
  acknowledged: readonly number[],
): Promise<{ readonly lost: readonly string[]; readonly aside: readonly string[] }> {
  const store = diskStore(directory);
  const lost: string[] = [];
  for (const _ of ['at once', 'after the next collection']) {
    await eachOf(acknowledged.length, async (at) => {
      const number = acknowledged[at] ?? 0;
      await readBack(store.blobs, blobAt(number)).catch((error: Error) => lost.push(`${number}: ${error.message}`));
    });
    await collectAll(store);
  }
  return { lost, aside: await store.objects.children(ASIDE) };
}

let orders: ReadonlyMap<string, number> | undefined;

/** In the order in which pushers go through them, so that they meet. */
function orderOf(digest: string): number {
  orders ??= new Map(Array.from({ length: 1000 }, (_, at) => [blobAt(at).descriptor.digest, at]));
  return orders.get(digest) ?? 0;
}

async function eachOf<T>(count: number, work: (at: number) => Promise<T>): Promise<readonly T[]> {
  return await createLimiter(8).map(
    Array.from({ length: count }, (_, at) => at),
    work,
  );
}
