import { writeFileSync } from 'node:fs';
import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testDirectory } from '../testing/directories.ts';
import { LargeFolders } from './large-folders.ts';

function fill(folder: string, names: readonly string[]): void {
  for (const name of names) writeFileSync(join(folder, name), '');
}

const numbered = (letter: string) => Array.from({ length: 1000 }, (_, at) => `${letter}${at}`);

describe('the names in a large folder', () => {
  it('are those that are there, however often and when they are asked for', async () => {
    await using directory = await testDirectory();
    const path = join(directory.path, 'tags');
    await mkdir(path);
    const names = Array.from({ length: 1200 }, (_, at) => `t${String(at).padStart(5, '0')}`);
    fill(path, names);
    const folders = new LargeFolders();
    const seen = async () => (await folders.names(path)).join(' ');
    /** Makes the folder look old, because only the names of an old one are cached. */
    const settle = () => utimes(path, 1_000_000_000, 1_000_000_000);
    for (let round = 0; round < 3; round++) expect(await seen()).toBe(names.join(' '));
    await settle();
    for (let round = 0; round < 3; round++) expect(await seen()).toBe(names.join(' '));
    await mkdir(join(path, 'below'));
    expect(await seen()).toBe(['below/', ...names].join(' '));
    await writeFile(join(path, 'a'), '');
    expect(await seen()).toBe(['a', 'below/', ...names].join(' '));
    await settle();
    await seen();
    await rm(join(path, 'a'));
    expect(await seen()).toBe(['below/', ...names].join(' '));
    await Promise.all(names.slice(1).map((name) => rm(join(path, name))));
    expect(await seen()).toBe(`below/ ${names[0]}`);
  });

  it('are those of the folder that is there, whatever its times say', async () => {
    await using directory = await testDirectory();
    const [path, other] = [join(directory.path, 'tags'), join(directory.path, 'other')];
    const settle = (folder: string) => utimes(folder, 1_000_000_000, 1_000_000_000);
    for (const folder of [path, other]) {
      await mkdir(folder);
      fill(folder, numbered(folder === path ? 't' : 'o'));
      await settle(folder);
    }
    const folders = new LargeFolders();
    for (let round = 0; round < 3; round++) expect((await folders.names(path))[0]).toBe('t0');
    await writeFile(join(path, 'more'), '');
    await settle(path);
    expect((await folders.names(path))[0]).toBe('more');
    await rm(path, { recursive: true });
    await rename(other, path);
    await settle(path);
    expect((await folders.names(path))[0]).toBe('o0');
  });

  it('are read once while nothing changes, and again when it does', async () => {
    await using directory = await testDirectory();
    const path = join(directory.path, 'tags');
    await mkdir(path);
    fill(path, numbered('t'));
    await utimes(path, 1_000_000_000, 1_000_000_000);
    const folders = new LargeFolders();
    await folders.names(path);
    const first = await folders.names(path);
    expect(await folders.names(path)).toBe(first);
    await writeFile(join(path, 'more'), '');
    expect(await folders.names(path)).not.toBe(first);
  });
});
