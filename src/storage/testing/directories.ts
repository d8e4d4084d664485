// Directories for tests: fresh ones, and ones on file systems of their own that are full or read-only.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { quickTmpdir } from '../../../test/testing/quick-directory.ts';

const run = promisify(execFile);

export interface TestDirectory extends AsyncDisposable {
  readonly path: string;
}

export async function testDirectory(): Promise<TestDirectory> {
  const path = await mkdtemp(join(quickTmpdir, 'images-store-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The paths of the staged files in `directory`, also of abandoned ones. */
export async function stagedIn(directory: string): Promise<readonly string[]> {
  const found = await readdir(join(directory, 'images/stage'), { recursive: true, withFileTypes: true });
  return found.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
}

/** Sets back the times of all files below the directory, by so many milliseconds. */
export async function setBack(directory: string, time: number): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const at = new Date((await stat(path)).mtimeMs - time);
    await utimes(path, at, at);
  }
}

/** Gives files with the machine's own time that of the test's clock, which is years ahead. */
export async function stampNewFiles(directory: string): Promise<void> {
  const now = new Date();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await stat(path)).mtimeMs < now.getTime() - 10 * YEAR) await utimes(path, now, now);
  }
}

const YEAR = 365 * 24 * 3600 * 1000;

export interface MountedDirectory extends TestDirectory {
  makeReadOnly(): Promise<void>;
}

/** A tmpfs of this size. Returns `undefined` if this process may not mount. */
export async function smallDisk(kilobytes: number): Promise<MountedDirectory | undefined> {
  const { path } = await testDirectory();
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', path]);
  } catch {
    await rm(path, { recursive: true });
    return undefined;
  }
  return {
    path,
    makeReadOnly: async () => {
      await run('mount', ['-o', 'remount,ro', path]);
    },
    [Symbol.asyncDispose]: async () => {
      await run('umount', ['-l', path]);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Whether this process may mount; determined once. */
export const canMount: boolean = await smallDisk(64).then(async (disk) => {
  await disk?.[Symbol.asyncDispose]();
  return disk !== undefined;
});
