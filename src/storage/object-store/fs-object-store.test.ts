import { open, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { objectStoreContract } from '../../../test/contract/object-store-contract.ts';
import { setBack, stagedIn, type TestDirectory, testDirectory } from '../testing/directories.ts';
import { openFsObjectStore } from './fs-object-store.ts';

const directories: TestDirectory[] = [];

async function newDirectory(): Promise<string> {
  const directory = await testDirectory();
  directories.push(directory);
  return directory.path;
}

afterAll(() => Promise.all(directories.map((directory) => directory[Symbol.asyncDispose]())));

objectStoreContract('the file system', async () => openFsObjectStore(await newDirectory()));

describe('a store on disk', () => {
  it('leaves neither temporary files nor stages behind', async () => {
    const directory = await newDirectory();
    const store = openFsObjectStore(directory);
    await store.put('a/k', Buffer.from('1'), { ifAbsent: true });
    await store.put('a/k', Buffer.from('2'), { ifAbsent: true });
    await store.put('a/k', Buffer.from('3'));
    const stage = await store.stage('s');
    await stage?.publish('a/s');
    expect(await readdir(join(directory, 'images/tmp'))).toEqual([]);
    expect(await stagedIn(directory)).toEqual([]);
  });

  it('gives what was written days ago the time at which it is published', async () => {
    const directory = await newDirectory();
    const store = openFsObjectStore(directory);
    await using begun = await store.stage('s');
    await begun?.append(Buffer.from('whole'));
    await begun?.[Symbol.asyncDispose]();
    await setBack(directory, 3 * 24 * 3600_000);
    const stage = await store.stage('s', { mustExist: true });
    await stage?.publish('k');
    expect(Date.now() - ((await store.stat('k'))?.modified.getTime() ?? 0)).toBeLessThan(60_000);
  });

  it('sweeps what killed processes left in its temporary folder', async () => {
    const directory = await newDirectory();
    const store = openFsObjectStore(directory);
    await store.put('k', Buffer.from('1'));
    await writeFile(join(directory, 'images/tmp/left'), 'x');
    await store.sweep({ before: new Date(Date.now() - 60_000) });
    expect(await readdir(join(directory, 'images/tmp'))).toEqual(['left']);
    await store.sweep({ before: new Date(Date.now() + 60_000) });
    expect(await readdir(join(directory, 'images/tmp'))).toEqual([]);
  });

  it('releases its file when a stream is left before it was begun', async () => {
    const directory = await newDirectory();
    const store = openFsObjectStore(directory);
    await store.put('k', Buffer.alloc(1_000_000));
    const open = async () => (await readdir('/proc/self/fd')).length;
    const before = await open();
    for (let round = 0; round < 20; round++) {
      const body = await store.get('k');
      await body?.[Symbol.asyncIterator]().return?.();
    }
    expect(await open()).toBeLessThan(before + 10);
  });

  it('forgets staged bytes that the disk did not take: a second sync would say that they are there', async () => {
    const directory = await newDirectory();
    const store = openFsObjectStore(directory);
    const file = await open(join(directory, 'any'), 'w');
    const handles: Pick<typeof file, 'datasync'> = Object.getPrototypeOf(file);
    await file.close();
    await using stage = await store.stage('s');
    await stage?.append(Buffer.from('on disk'));
    await stage?.sync();
    await stage?.append(Buffer.from(', lost'));
    const failing = vi.spyOn(handles, 'datasync').mockRejectedValue(Object.assign(new Error('i/o'), { code: 'EIO' }));
    onTestFinished(() => failing.mockRestore());
    await expect(stage?.publish('k')).rejects.toMatchObject({ code: 'EIO' });
    failing.mockRestore();
    expect(stage?.size).toBe('on disk'.length);
    await stage?.append(Buffer.from(', again'));
    await stage?.publish('k');
    expect(await readFile(join(directory, 'k'), 'utf8')).toBe('on disk, again');
  });

  it('says of a file that cannot be synced that it is not on disk', async () => {
    const directory = await newDirectory();
    const store = openFsObjectStore(directory);
    await store.put('a/whole', Buffer.from('1'));
    await symlink('circle', join(directory, 'a/circle'));
    await expect(store.sync(['a/whole', 'a/circle'])).rejects.toThrow(/ELOOP|symbolic links/);
    await expect(store.sync(['a/whole', 'a/gone'])).resolves.toBeUndefined();
  });

  it('gives chunks that stay as they are when the next is read', async () => {
    const store = openFsObjectStore(await newDirectory());
    await store.put('k', Buffer.concat(['a', 'b', 'c'].map((text) => Buffer.alloc(300_000, text))));
    const chunks = await Array.fromAsync((await store.get('k')) ?? []);
    expect(chunks.length).toBeGreaterThan(1);
    expect(Buffer.concat(chunks).toString()).toBe('a'.repeat(300_000) + 'b'.repeat(300_000) + 'c'.repeat(300_000));
  });
});
