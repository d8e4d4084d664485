// The directory of one RUN: what it uses of others, by links that keep that from being removed, and what it writes.
import { mkdir, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isFsError } from '../../io/files/fs-errors.ts';
import type { WorkPlace } from './work-place.ts';

export interface RunPlace {
  readonly directory: string;
  /** Keeps it while the directory is there. Returns the link, from the directory. Throws where it is gone: `isGone`. */
  link(kind: 'snapshots' | 'caches', name: string): Promise<string>;
}

export async function openRunPlace(place: WorkPlace): Promise<RunPlace> {
  const directory = await place.claim('runs');
  await Promise.all([mkdir(join(directory, 'snapshots')), mkdir(join(directory, 'caches'))]);
  const links = new Map<string, string>();
  return {
    directory,
    async link(kind, name) {
      const known = links.get(`${kind}/${name}`);
      const link = known ?? join(kind, String(links.size));
      if (!known) {
        await symlink(place.path(kind, name), join(directory, link));
        links.set(`${kind}/${name}`, link);
      }
      await stat(join(directory, link));
      return link;
    },
  };
}

/** What a link was to lead to has been removed meanwhile. */
export function isGone(error: unknown): boolean {
  return isFsError(error, 'ENOENT');
}
