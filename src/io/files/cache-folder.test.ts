import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { cacheFolder } from './cache-folder.ts';

const AMPLE = { most: 100 };

/** Entries whose age is their number, in hours: `entry-0` is the newest. */
async function aged(directory: string, count: number, make: (path: string) => Promise<unknown>): Promise<void> {
  await mkdir(directory, { recursive: true });
  const now = Date.now() / 1000;
  await Promise.all(
    Array.from({ length: count }, async (_, age) => {
      const path = join(directory, `entry-${age}`);
      await make(path);
      await utimes(path, now - age * 3600, now - age * 3600);
    }),
  );
}
const asFile = (path: string) => writeFile(path, '{}');

describe('an entry of the cache', () => {
  it('is there for later readers, and the last one written counts', async () => {
    await using scratch = await temporaryDirectory('cache');
    const directory = join(scratch.path, 'made/when/needed');
    expect(await cacheFolder(directory, AMPLE).read('a')).toBeUndefined();
    for (const value of [{ n: 1 }, ['two'], { n: 3, text: 'ä\n' }]) {
      await cacheFolder(directory, AMPLE).write('a', value);
      expect(await cacheFolder(directory, AMPLE).read('a')).toEqual(value);
    }
    expect(await cacheFolder(directory, AMPLE).read('b')).toBeUndefined();
    expect(await readdir(directory)).toEqual(['a']);
  });

  it.each(['', '{"n":', 'no JSON', '\0\0\0\0', '\xff\xfe'])('is absent if the file is broken: %j', async (text) => {
    await using scratch = await temporaryDirectory('cache');
    const folder = cacheFolder(scratch.path, AMPLE);
    await writeFile(join(scratch.path, 'a'), text, 'latin1');
    expect(await folder.read('a')).toBeUndefined();
    await folder.write('a', { mended: true });
    expect(await folder.read('a')).toEqual({ mended: true });
  });

  it('is absent if the file is larger than any that was ever written; the file is not read', async () => {
    await using scratch = await temporaryDirectory('cache');
    await writeFile(join(scratch.path, 'a'), '{}');
    await truncate(join(scratch.path, 'a'), 3 * 2 ** 30);
    expect(await cacheFolder(scratch.path, AMPLE).read('a')).toBeUndefined();
  });

  it('is absent if a pipe has its name: nobody waits for the pipe, and it is replaced', async () => {
    await using scratch = await temporaryDirectory('cache');
    const folder = cacheFolder(scratch.path, AMPLE);
    execFileSync('mkfifo', [join(scratch.path, 'a')]);
    expect(await folder.read('a')).toBeUndefined();
    await folder.write('a', { n: 1 });
    expect(await folder.read('a')).toEqual({ n: 1 });
  });

  it('is absent if a directory has its name, and the directory stays', async () => {
    await using scratch = await temporaryDirectory('cache');
    const folder = cacheFolder(scratch.path, AMPLE);
    await mkdir(join(scratch.path, 'a'));
    expect(await folder.read('a')).toBeUndefined();
    await folder.write('a', { n: 1 });
    expect(await folder.read('a')).toBeUndefined();
    expect(await readdir(scratch.path)).toEqual(['a']);
  });
});

describe('a folder that cannot be written', () => {
  it.each([
    ['a file is in the place of the folder', 'file'],
    ['a file is above it', 'file/below'],
  ])('is no error: %s', async (_, path) => {
    await using scratch = await temporaryDirectory('cache');
    await writeFile(join(scratch.path, 'file'), 'in the way');
    const folder = cacheFolder(join(scratch.path, path), AMPLE);
    await folder.write('a', { n: 1 });
    expect(await folder.read('a')).toBeUndefined();
    expect(await readFile(join(scratch.path, 'file'), 'utf8')).toBe('in the way');
  });

  it.each(['/proc/nowhere', '/sys/nowhere'])('is no error: nothing can be made in %s', async (path) => {
    const folder = cacheFolder(path, AMPLE);
    await folder.write('a', { n: 1 });
    expect(await folder.read('a')).toBeUndefined();
  });

  it('hides no bug: a value that is not JSON, and an invalid name, throw', async () => {
    await using scratch = await temporaryDirectory('cache');
    const folder = cacheFolder(scratch.path, AMPLE);
    await expect(folder.write('a', { n: 1n })).rejects.toThrow(TypeError);
    await expect(folder.read('a\0b')).rejects.toThrow(TypeError);
    expect(await readdir(scratch.path)).toEqual([]);
  });
});

describe('the size limit of the cache', () => {
  it('is kept by the first write: the newest entries stay, up to three quarters of it', async () => {
    await using scratch = await temporaryDirectory('cache');
    await aged(scratch.path, 30, asFile);
    await cacheFolder(scratch.path, { most: 20 }).write('new', {});
    const left = await readdir(scratch.path);
    expect(left.sort()).toEqual(['new', ...Array.from({ length: 14 }, (_, age) => `entry-${age}`)].sort());
  });

  it('removes nothing before it is exceeded, and reading removes nothing at all', async () => {
    await using scratch = await temporaryDirectory('cache');
    await aged(scratch.path, 19, asFile);
    const folder = cacheFolder(scratch.path, { most: 20 });
    await folder.write('new', {});
    expect(await readdir(scratch.path)).toHaveLength(20);
    await cacheFolder(scratch.path, { most: 4 }).read('entry-0');
    expect(await readdir(scratch.path)).toHaveLength(20);
  });

  it('is checked once a process: what one process adds stays until the next one starts', async () => {
    await using scratch = await temporaryDirectory('cache');
    const folder = cacheFolder(scratch.path, { most: 4 });
    for (let n = 0; n < 10; n++) await folder.write(`${n}`, {});
    expect(await readdir(scratch.path)).toHaveLength(10);
    await cacheFolder(scratch.path, { most: 4 }).write('last', {});
    const left = await readdir(scratch.path);
    expect(left).toHaveLength(3);
    expect(left).toContain('last');
  });

  it('removes directories of earlier versions, with all that is in them', async () => {
    await using scratch = await temporaryDirectory('cache');
    await aged(scratch.path, 10, async (path) => {
      await mkdir(join(path, 'sha256/ab'), { recursive: true });
      await writeFile(join(path, 'sha256/ab/abc'), '[]');
    });
    await cacheFolder(scratch.path, { most: 4 }).write('new', {});
    expect((await readdir(scratch.path)).sort()).toEqual(['entry-0', 'entry-1', 'new']);
    expect(existsSync(join(scratch.path, 'entry-1/sha256/ab/abc'))).toBe(true);
  });

  it('holds where several write and remove at once: nobody fails, and what they wrote is there', async () => {
    await using scratch = await temporaryDirectory('cache');
    await aged(scratch.path, 200, (path) =>
      path.endsWith('0') ? mkdir(join(path, 'a/b'), { recursive: true }) : asFile(path),
    );
    const folders = Array.from({ length: 4 }, () => cacheFolder(scratch.path, { most: 100 }));
    await Promise.all(folders.flatMap((folder, n) => [1, 2, 3].map((m) => folder.write(`${n}-${m}`, { n, m }))));
    for (const [n] of folders.entries())
      for (const m of [1, 2, 3]) expect(await folders[0]?.read(`${n}-${m}`)).toEqual({ n, m });
    const left = await readdir(scratch.path);
    expect(left.length).toBeLessThanOrEqual(75 + 12);
    expect(left.filter((name) => name.startsWith('.'))).toEqual([]);
    expect(left).toContain('entry-0');
    expect(left).not.toContain('entry-199');
  });
});
