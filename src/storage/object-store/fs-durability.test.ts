// Syncs of names and files: what is known to be on disk costs no more than a look.
import {
  appendFileSync,
  closeSync,
  fstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
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
  const syncs = nameSyncs(directory, quick, () => false);
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
  // Two looks at the file system, the file and two folders.
  expect(await calls(path)).toBe(5);
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
  // Two looks at the file system, one at the file, and its folder.
  expect(await calls(path)).toBe(4);
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

/** Which files and directories are opened to be synced, by their inodes; one at a time. */
function opening(directory: string, hasJournal: boolean) {
  const opened: number[] = [];
  const run = <T>(call: () => T): T => {
    const result = call();
    if (typeof result === 'number') opened.push(fstatSync(result).ino);
    return result;
  };
  const quick = { allowed: () => true, allAllowed: () => false, run };
  const syncs = nameSyncs(directory, quick, () => hasJournal);
  return {
    syncs,
    /** The names of what is opened meanwhile, below `directory`. */
    openedBy: async (work: () => Promise<unknown>, names: readonly string[]) => {
      opened.length = 0;
      await work();
      const inodes = new Map(names.map((name) => [statSync(join(directory, name)).ino, name]));
      return opened.map((inode) => inodes.get(inode)).toSorted();
    },
  };
}

it('with a journal, one directory is synced for all names; without, each', async () => {
  await using directory = await testDirectory();
  const names = ['.', 'a', 'a/b', 'c', 'a/b/one', 'c/two'];
  for (const name of ['a', 'a/b', 'c']) mkdirSync(join(directory.path, name));
  const files = ['a/b/one', 'c/two'].map((name) => join(directory.path, name));
  for (const file of files) writeFileSync(file, 'text');
  const journaled = opening(directory.path, true);
  expect(await journaled.openedBy(() => journaled.syncs.syncFiles(files), names)).toEqual(['.', 'a/b/one', 'c/two']);
  expect(await journaled.openedBy(() => journaled.syncs.syncFiles(files), names)).toEqual([]);
  journaled.syncs.changed(files[0] ?? '');
  expect(await journaled.openedBy(() => journaled.syncs.syncNames(files), names)).toEqual(['.']);
  const other = opening(directory.path, false);
  expect(await other.openedBy(() => other.syncs.syncFiles(files), names)).toEqual(names.toSorted());
});

it('calls of the same moment share one sync, and one that comes during it waits for the next', async () => {
  await using directory = await testDirectory();
  const path = (name: string) => join(directory.path, name);
  for (const name of ['one', 'two', 'three']) writeFileSync(path(name), '');
  const { syncs, openedBy } = opening(directory.path, true);
  const both = () => Promise.all([syncs.syncNames([path('one')]), syncs.syncNames([path('two')])]);
  expect(await openedBy(both, ['.'])).toEqual(['.']);
  syncs.changed(path('one'));
  const during = async () => {
    const first = syncs.syncNames([path('one')]);
    // It has begun.
    await new Promise(setImmediate);
    syncs.changed(path('one'));
    await Promise.all([first, syncs.syncNames([path('one')])]);
  };
  expect(await openedBy(during, ['.'])).toEqual(['.', '.']);
});

it('what is linked to another file system is synced there', async ({ skip }) => {
  await using directory = await testDirectory();
  await using elsewhere = await temporaryDirectory('elsewhere');
  if (statSync(tmpdir()).dev === statSync(directory.path).dev) return skip();
  symlinkSync(elsewhere.path, join(directory.path, 'linked'));
  writeFileSync(join(directory.path, 'linked/file'), 'text');
  const { syncs, openedBy } = opening(directory.path, true);
  const names = ['.', 'linked', 'linked/file'];
  expect(await openedBy(() => syncs.syncFiles([join(directory.path, 'linked/file')]), names)).toEqual(names);
});

it('nothing is durable in a directory that has gone as a whole', async () => {
  await using directory = await testDirectory();
  const root = join(directory.path, 'store');
  mkdirSync(join(root, 'a'), { recursive: true });
  writeFileSync(join(root, 'a/link'), 'text');
  for (const hasJournal of [true, false]) {
    const syncs = nameSyncs(root, counting().quick, () => hasJournal);
    await syncs.syncNames([join(root, 'a/other')]);
    syncs.changed(join(root, 'a/link'));
    renameSync(root, `${root}-away`);
    await expect(syncs.syncFiles([join(root, 'a/link')])).rejects.toMatchObject({ code: 'ENOENT' });
    renameSync(`${root}-away`, root);
    await syncs.syncFiles([join(root, 'a/link')]);
  }
});

it('what the disk did not take is not durable by a second sync, until it is written anew', async () => {
  await using directory = await testDirectory();
  const failing = new Set<string>();
  const { quick } = counting();
  const broken: typeof quick = {
    ...quick,
    run: (call) => {
      const result = call();
      if (typeof result === 'number' && failing.size > 0) {
        closeSync(result);
        failing.clear();
        throw Object.assign(new Error('i/o error'), { code: 'EIO' });
      }
      return result;
    },
  };
  const syncs = nameSyncs(directory.path, broken, () => false);
  const path = join(directory.path, 'link');
  writeFileSync(path, 'text');
  failing.add('next');
  await expect(syncs.syncFiles([path])).rejects.toMatchObject({ code: 'EIO' });
  await expect(syncs.syncFiles([path])).rejects.toMatchObject({ code: 'EIO' });
  syncs.changed(path);
  writeFileSync(path, 'text');
  await syncs.syncFiles([path]);
});
