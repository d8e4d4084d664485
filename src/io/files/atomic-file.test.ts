import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDirectory, writeFileAtomically } from './atomic-file.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'images-atomic-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('writing a file atomically', () => {
  it('makes its directory, replaces what is there and leaves nothing else', async () => {
    const path = join(directory, 'a/b/state.json');
    await writeFileAtomically(path, 'one');
    await writeFileAtomically(path, Buffer.from('two'), { mode: 0o600 });
    expect(await readFile(path, 'utf8')).toBe('two');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(directory, 'a/b'))).toEqual(['state.json']);
  });

  it.skipIf(process.getuid?.() === 0)('to belong to somebody else, strictly, leaves nothing', async () => {
    const path = join(directory, 'shared');
    const like = { mode: 0o640, gid: 54_321, isStrict: true };
    await expect(writeFileAtomically(path, 'x', { like })).rejects.toMatchObject({ code: 'NO_ACCESS' });
    expect(await readdir(directory)).toEqual([]);
  });

  it('leaves nothing when it fails', async () => {
    await makeDirectory(join(directory, 'taken'));
    await expect(writeFileAtomically(join(directory, 'taken'), 'x')).rejects.toMatchObject({ code: 'EISDIR' });
    expect(await readdir(directory)).toEqual(['taken']);
  });
});

describe('making a directory', () => {
  it('says which is the first that was not there', async () => {
    expect(await makeDirectory(join(directory, 'a/b/c'))).toBe(join(directory, 'a'));
    expect(await makeDirectory(join(directory, 'a/b/c'))).toBeUndefined();
    expect(await makeDirectory(join(directory, 'a/d'))).toBe(join(directory, 'a/d'));
  });

  it('fails below a file', async () => {
    await writeFile(join(directory, 'file'), '');
    await expect(makeDirectory(join(directory, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  it.skipIf(process.platform !== 'linux')('fails, and does not try for ever, where nothing can be made', async () => {
    await expect(makeDirectory('/proc/images/data')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
