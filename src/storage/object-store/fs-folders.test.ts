// Folders come with their first file, whatever of them is there already.
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testDirectory } from '../testing/directories.ts';
import type { NameSyncs } from './fs-durability.ts';
import { fsFolders } from './fs-folders.ts';

/** Notes what syncs are told of. */
function noted() {
  const made: (readonly [first: string | undefined, last: string])[] = [];
  const syncs: NameSyncs = {
    changed: () => undefined,
    made: (first, last) => void made.push([first, last]),
    syncNames: async () => undefined,
    syncFiles: async () => undefined,
    contentSynced: () => undefined,
  };
  return { made, syncs };
}

const quickCalls = (allowed: boolean) => ({
  allowed: () => allowed,
  allAllowed: () => false,
  run: <T>(call: () => T) => call(),
});

it.each([true, false])('all that are missing are made, and nothing else [looked at first: %s]', async (allowed) => {
  await using directory = await testDirectory();
  const { made, syncs } = noted();
  const folders = fsFolders(directory.path, syncs, { quick: quickCalls(allowed), quickNames: quickCalls(allowed) });
  const at = (path: string) => join(directory.path, path);
  const write = (path: string) => folders.inMade(at(path), (final) => writeFile(final, path));
  const madeBy = async (path: string) => {
    made.length = 0;
    await write(path);
    expect(await readFile(at(path), 'utf8')).toBe(path);
    const names = made.flatMap(([first, last]) => (first === undefined ? [] : [first, last]));
    return new Set(names.map((name) => name.slice(directory.path.length + 1)));
  };
  const first = await madeBy('a/b/c/file');
  expect(first.has('a') && first.has('a/b/c')).toBe(true);
  expect(await madeBy('a/b/c/other')).toEqual(new Set());
  expect(await madeBy('a/b/d/file')).toEqual(new Set(['a/b/d']));
  expect(await madeBy('file')).toEqual(new Set());
  await symlink('elsewhere', at('link'));
  await madeBy('link/e/file');
  expect(await readFile(at('elsewhere/e/file'), 'utf8')).toBe('link/e/file');
});

it('a file in the place of a folder is an error', async () => {
  await using directory = await testDirectory();
  const { syncs } = noted();
  await writeFile(join(directory.path, 'file'), '');
  for (const allowed of [true, false]) {
    const folders = fsFolders(directory.path, syncs, { quick: quickCalls(allowed), quickNames: quickCalls(allowed) });
    const below = folders.inMade(join(directory.path, 'file/below/it'), (final) => writeFile(final, ''));
    await expect(below).rejects.toMatchObject({ code: 'ENOTDIR' });
  }
});

it('a folder that another process removes in between is made again', async () => {
  await using directory = await testDirectory();
  const { syncs } = noted();
  const folders = fsFolders(directory.path, syncs, { quick: quickCalls(true), quickNames: quickCalls(true) });
  await mkdir(join(directory.path, 'a'));
  let attempts = 0;
  await folders.inMade(join(directory.path, 'a/b'), async (final) => {
    attempts += 1;
    if (attempts < 3) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    await writeFile(final, '');
  });
  expect(attempts).toBe(3);
});
