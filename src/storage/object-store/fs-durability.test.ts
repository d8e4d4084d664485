// Syncs of names and files: what is known to be on disk costs no more than a look.
import { appendFileSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testDirectory } from '../testing/directories.ts';
import { nameSyncs } from './fs-durability.ts';

/** Counts what is opened, and looked at, without the thread pool. */
function counting(isAllowed = true) {
  const seen = { calls: 0 };
  const run = <T>(call: () => T): T => {
    seen.calls++;
    return call();
  };
  return { seen, quick: { allowed: () => isAllowed, allAllowed: () => false, run } };
}

/** `calls`: how many a sync of this file makes. */
function counted(directory: string) {
  const { seen, quick } = counting();
  const syncs = nameSyncs(directory, quick);
  const calls = async (path: string) => {
    seen.calls = 0;
    await syncs.syncFiles([path]);
    return seen.calls;
  };
  return { syncs, calls };
}

it('a file whose content was synced is looked at once, and synced again only when it has changed', async () => {
  await using directory = await testDirectory();
  const { syncs, calls } = counted(directory.path);
  mkdirSync(join(directory.path, 'a'));
  const path = join(directory.path, 'a/link');
  writeFileSync(path, 'text');
  // The file and two folders.
  expect(await calls(path)).toBe(3);
  expect(await calls(path)).toBe(1);
  appendFileSync(path, ' and more');
  expect(await calls(path)).toBe(2);
  syncs.changed(path);
  expect(await calls(path)).toBe(2);
  rmSync(path);
  expect(await calls(path)).toBe(2);
});

it('a path that is gone needs no sync, and other failures are told', async () => {
  await using directory = await testDirectory();
  for (const isAllowed of [true, false]) {
    const syncs = nameSyncs(directory.path, counting(isAllowed).quick);
    await syncs.syncFiles([join(directory.path, 'none/file')]);
    writeFileSync(join(directory.path, 'file'), '');
    await syncs.syncFiles([join(directory.path, 'file'), join(directory.path, 'file/below')]);
    const tooLong = join(directory.path, 'n'.repeat(300));
    await expect(syncs.syncFiles([tooLong])).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
  }
});

it('a file that was synced before it got its name is synced again only if it is another one, or has changed', async () => {
  await using directory = await testDirectory();
  const { syncs, calls } = counted(directory.path);
  const [path, before] = [join(directory.path, 'link'), join(directory.path, 'tmp')];
  writeFileSync(before, 'text');
  const file = statSync(before);
  renameSync(before, path);
  syncs.contentSynced(path, file);
  // A look at the file, and its folder.
  expect(await calls(path)).toBe(2);
  appendFileSync(path, ' and more');
  syncs.contentSynced(path, file);
  expect(await calls(path)).toBe(2);
  expect(await calls(path)).toBe(1);
  writeFileSync(before, 'text');
  renameSync(before, path);
  syncs.contentSynced(path, file);
  expect(await calls(path)).toBe(2);
  rmSync(path);
  syncs.contentSynced(path, file);
  expect(await calls(path)).toBe(2);
});
