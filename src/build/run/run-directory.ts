// The directory of one RUN: what it writes, and links to the snapshots and caches that it uses, which keep those from being removed.
import { mkdir, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError } from '../../io/files/fs-errors.ts';
import type { RunnerDirectory } from './runner-directory.ts';

export interface RunDirectory {
  readonly directory: string;
  /** Links to it, which keeps it as long as this directory exists. Returns the link's path in the directory. Throws if it is gone (see `isGone`). */
  link(kind: 'snapshots' | 'caches', name: string): Promise<string>;
}

export async function openRunDirectory(runnerDirectory: RunnerDirectory): Promise<RunDirectory> {
  const directory = await runnerDirectory.claim('runs');
  await Promise.all([mkdir(join(directory, 'snapshots')), mkdir(join(directory, 'caches'))]);
  const links = new Map<string, string>();
  return {
    directory,
    async link(kind, name) {
      const known = links.get(`${kind}/${name}`);
      const link = known ?? join(kind, String(links.size));
      if (!known) {
        await symlink(runnerDirectory.path(kind, name), join(directory, link));
        links.set(`${kind}/${name}`, link);
      }
      await stat(join(directory, link));
      return link;
    },
  };
}

/** Whether the target of a link was removed in the meantime. */
export function isGone(error: unknown): boolean {
  return isFsError(error, 'ENOENT');
}
