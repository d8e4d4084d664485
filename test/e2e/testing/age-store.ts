// Lets time pass for a store: all its files get times of some days ago, as if nobody had used them since.
import { lstat, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';

/** Files that go meanwhile, because the store is in use, are no error. */
export async function ageStore(directory: string, days: number): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    try {
      const info = await lstat(path);
      if (info.isDirectory()) await ageStore(path, days);
      const then = new Date(info.mtimeMs - days * 24 * 3600_000);
      if (info.isFile()) await utimes(path, then, then);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
