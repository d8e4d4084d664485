// What is known of file systems of this machine, and of small ones of the test's own.
import { execFile } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { mkdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { canMount, testDirectory } from '../testing/directories.ts';
import { isJournaled } from './fs-journal.ts';

const run = promisify(execFile);
const asked = (directory: string) => isJournaled(directory, statSync(directory).dev);

/** In a file, mounted; `undefined` where that does not work. */
async function ext4(features: string) {
  const directory = await testDirectory();
  const [image, path] = [join(directory.path, 'image'), join(directory.path, 'disk')];
  writeFileSync(image, '');
  await truncate(image, 16 * 1024 * 1024);
  await mkdir(path);
  try {
    await run('mkfs.ext4', ['-q', '-O', features, image]);
    await run('mount', ['-t', 'ext4', '-o', 'loop', image, path]);
  } catch {
    await directory[Symbol.asyncDispose]();
    return undefined;
  }
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await run('umount', ['--lazy', path]);
      await directory[Symbol.asyncDispose]();
    },
  };
}

it('a file system that is no ext4, or not there, has no journal that is known', () => {
  expect(asked('/proc')).toBe(false);
  expect(asked('/dev')).toBe(false);
  expect(isJournaled('/not/there', 1)).toBe(false);
});

it.skipIf(!canMount)('an ext4 has one if it was made with it (skipped where we may not mount)', async ({ skip }) => {
  await using journaled = await ext4('has_journal');
  await using other = await ext4('^has_journal');
  if (!journaled || !other) return skip();
  expect(asked(journaled.path)).toBe(true);
  expect(asked(other.path)).toBe(false);
  // Of a device that it is not on, nothing is known.
  expect(isJournaled(journaled.path, statSync('/proc').dev)).toBe(false);
});
