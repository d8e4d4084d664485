// The directories of cache mounts. As in BuildKit, a cache is identified by id, initial content, owner and mode. It is shared by all builds of a user;
// the mount can ask for exclusive access (locked), or for a separate copy for each RUN (private).
import { createHash } from 'node:crypto';
import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError } from '../../io/files/fs-errors.ts';
import { acquireLock, type Lock, tryLock } from '../../io/files/lock.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { ImagesError } from '../../oci/errors.ts';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import { indexLayers } from '../../rootfs/layer-index.ts';
import type { RunMount } from '../contract.ts';
import { isMapped } from './ids.ts';
import { treeArchive } from './layer-archive.ts';
import { type RootUnpacking, staged, unpackRootFileSystem } from './unpack.ts';

export type CacheMount = Extract<RunMount, { readonly type: 'cache' }>;

export interface MountedCache extends AsyncDisposable {
  readonly name: string;
}

const STRICTNESS = ['shared', 'locked', 'private'] as const;

/** The identity of a cache. Mounts that differ in any of these never share a directory. */
export function cacheKey({ id, layers, uid, gid, mode }: CacheMount): string {
  const base = layers.map(({ diffId, descriptor }) => diffId ?? descriptor.digest);
  return createHash('sha256')
    .update(JSON.stringify([id, base, uid, gid, mode]))
    .digest('hex')
    .slice(0, 32);
}

/**
 * The caches of a RUN by key. A cache with several mounts is provided once, with the strictest sharing mode of these. Caches are acquired in the order
 * of their keys, to avoid deadlocks, and added to `held`.
 */
export async function provideCaches(
  mounts: readonly CacheMount[],
  held: AsyncDisposable[],
  unpacking: RootUnpacking,
  options: CallOptions,
): Promise<ReadonlyMap<string, MountedCache>> {
  const caches = new Map<string, MountedCache>();
  const byKey = Map.groupBy(mounts, cacheKey);
  for (const key of [...byKey.keys()].sort()) {
    const same = byKey.get(key) as [CacheMount, ...CacheMount[]];
    const sharing = STRICTNESS.findLast((kind) => same.some((mount) => mount.sharing === kind)) ?? 'shared';
    const cache = await provideCache({ ...same[0], sharing }, unpacking, options);
    held.push(cache);
    caches.set(key, cache);
  }
  return caches;
}

/** Created if it is missing. `locked` waits for the current holder. Disposing releases the cache. */
async function provideCache(mount: CacheMount, unpacking: RootUnpacking, options: CallOptions): Promise<MountedCache> {
  const { runnerDirectory } = unpacking;
  const base = cacheKey(mount);
  if (mount.sharing === 'private') {
    for (let at = 0; ; at++) {
      const name = at === 0 ? base : `${base}-${at}`;
      const lock = await tryLock(runnerDirectory.path('locks', `cache-${name}`));
      if (lock) return opened(name, mount, unpacking, lock, options);
    }
  }
  const path = runnerDirectory.path('locks', `cache-${base}`);
  const lock = mount.sharing === 'locked' ? await acquireLock(path, options) : undefined;
  return opened(base, mount, unpacking, lock, options);
}

async function opened(
  name: string,
  mount: CacheMount,
  unpacking: RootUnpacking,
  lock: Lock | undefined,
  options: CallOptions,
): Promise<MountedCache> {
  try {
    await make(name, mount, unpacking, options);
  } catch (error) {
    await lock?.[Symbol.asyncDispose]();
    throw error;
  }
  return { name, [Symbol.asyncDispose]: async () => lock?.[Symbol.asyncDispose]() };
}

async function make(name: string, mount: CacheMount, unpacking: RootUnpacking, options: CallOptions): Promise<void> {
  const { runnerDirectory, namespaces, ids } = unpacking;
  const directory = runnerDirectory.path('caches', name);
  if (await isThere(directory)) return;
  await using _ = await runnerDirectory.lock(`make-${name}`, options);
  if (await isThere(directory)) return;
  await staged(unpacking, async (made) => {
    if (mount.layers.length > 0) {
      const indexes = await indexLayers(mount.layers, options);
      const stage = { layers: mount.layers, indexes };
      await unpackRootFileSystem(treeArchive(applyLayers(indexes), stage, ids), made, unpacking, options);
    }
    const owner = `${isMapped(ids.uids, mount.uid) ? mount.uid : 0}:${isMapped(ids.gids, mount.gid) ? mount.gid : 0}`;
    const args = [join(made, 'fs'), mount.mode.toString(8), owner];
    const { status, stderr } = await namespaces.run(MAKE, { args });
    if (status !== 0) throw new ImagesError('NO_ACCESS', `a cache cannot be made [${stderr.trim()}]`);
    await rename(made, directory);
  });
}

const MAKE = 'mkdir -p -- "$1" && chown -- "$3" "$1" && chmod -- "$2" "$1"';

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isFsError(error, 'ENOENT')) return false;
    throw error;
  }
}
