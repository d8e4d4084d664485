// The directory of a runner: unpacked layers, caches, running commands. It is private to the user. Leftovers are recognised by the dead process in their names.
//
//   KEY/snapshots/NAME/{fs,about}   an unpacked layer; KEY identifies the owners that files can have
//   KEY/caches/NAME/data            a cache mount
//   KEY/runs/IDENTITY~ID/           a RUN: links to the snapshots that it uses, and what it writes
//   KEY/stage/IDENTITY~ID/          what is being unpacked or removed
import { chmod, mkdir, readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isAlive, ownIdentity } from '../../io/concurrency/process-identity.ts';
import { makeDirectory } from '../../io/files/atomic-file.ts';
import { isFsError, translatingFsErrors } from '../../io/files/fs-errors.ts';
import { acquireLock, type Lock } from '../../io/files/lock.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Ids } from './ids.ts';

export interface RunnerDirectory {
  readonly directory: string;
  path(kind: Subdirectory, name?: string): string;
  /** Creates a directory that belongs to this process. */
  claim(kind: 'runs' | 'stage'): Promise<string>;
  /** Held while links to snapshots and caches are made, or checked to see what is in use. */
  lock(name: string, options?: CallOptions): Promise<Lock>;
  /** Directories whose process has ended. */
  abandoned(): Promise<readonly string[]>;
  /** Names of snapshots or caches to which a live RUN has a link. */
  inUse(kind: 'snapshots' | 'caches'): Promise<ReadonlySet<string>>;
}

export type Subdirectory = 'snapshots' | 'caches' | 'runs' | 'stage' | 'locks';

const SUBDIRECTORIES: readonly Subdirectory[] = ['snapshots', 'caches', 'runs', 'stage', 'locks'];

/** Created if it is missing. Errors: NO_ACCESS, NO_SPACE, READ_ONLY. */
export async function openRunnerDirectory(directory: string, ids: Ids): Promise<RunnerDirectory> {
  const own = join(directory, ids.key);
  await translatingFsErrors(directory, async () => {
    await makeDirectory(own);
    // Other users must not reach the set-id programs of layers.
    await chmod(directory, 0o700);
    for (const kind of SUBDIRECTORIES) await makeDirectory(join(own, kind));
  });
  const path = (kind: Subdirectory, name = ''): string => join(own, kind, name);
  const owned = async (kind: 'runs' | 'stage', alive: boolean): Promise<readonly string[]> => {
    const names = await namesIn(path(kind));
    return names.filter((name) => isAlive(name.split('~')[0] ?? '') === alive).map((name) => path(kind, name));
  };
  return {
    directory: own,
    path,
    async claim(kind) {
      const claimed = path(kind, `${ownIdentity()}~${crypto.randomUUID().slice(0, 8)}`);
      await translatingFsErrors(directory, () => mkdir(claimed, { mode: 0o700 }));
      return claimed;
    },
    lock: (name, options) => acquireLock(path('locks', name), options),
    async abandoned() {
      return [...(await owned('runs', false)), ...(await owned('stage', false))];
    },
    async inUse(kind) {
      const used = new Set<string>();
      for (const run of await owned('runs', true)) {
        for (const link of await namesIn(join(run, kind))) {
          used.add(basename(await readlink(join(run, kind, link)).catch(() => '')));
        }
      }
      return used;
    },
  };
}

/** Empty if the directory has just been removed. */
export async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isFsError(error, 'ENOENT')) return [];
    throw error;
  }
}
