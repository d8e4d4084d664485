import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { readSmallFileAtOnce, readWholeFile } from './whole-file.ts';

describe('a file that is read whole', () => {
  it('gives its bytes, or only its size if it is larger than wanted', async () => {
    await using directory = await temporaryDirectory('whole');
    const file = join(directory.path, 'file');
    const bytes = Buffer.alloc(200_000, 'some bytes');
    await writeFile(file, bytes);
    expect((await readWholeFile(file, 200_000)) as Buffer).toEqual(bytes);
    expect(await readWholeFile(file, 199_999)).toBe(200_000);
    await writeFile(join(directory.path, 'empty'), '');
    expect(await readWholeFile(join(directory.path, 'empty'), 0)).toEqual(Buffer.alloc(0));
    await symlink('file', join(directory.path, 'link'));
    expect(await readWholeFile(join(directory.path, 'link'), 200_000)).toEqual(bytes);
  });

  it('is undefined for a directory and for a pipe that nobody writes to', async () => {
    await using directory = await temporaryDirectory('whole');
    await mkdir(join(directory.path, 'folder'));
    execFileSync('mkfifo', [join(directory.path, 'pipe')]);
    expect(await readWholeFile(join(directory.path, 'folder'), 10)).toBeUndefined();
    expect(await readWholeFile(join(directory.path, 'pipe'), 10)).toBeUndefined();
  });

  it('fails with the file system’s error, and leaves nothing open', async () => {
    await using directory = await temporaryDirectory('whole');
    await writeFile(join(directory.path, 'file'), 'x');
    await expect(readWholeFile(join(directory.path, 'absent'), 1)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(readWholeFile(join(directory.path, 'file/below'), 1)).rejects.toMatchObject({ code: 'ENOTDIR' });
    // More than a process may have open at once.
    for (let time = 0; time < 3000; time += 1) await readWholeFile(join(directory.path, 'file'), 1);
  });

  it('is the same without the thread pool', async () => {
    await using directory = await temporaryDirectory('whole');
    const file = join(directory.path, 'file');
    await writeFile(file, 'bytes');
    execFileSync('mkfifo', [join(directory.path, 'pipe')]);
    expect(readSmallFileAtOnce(file, 5)?.bytes?.toString()).toBe('bytes');
    expect(readSmallFileAtOnce(file, 4)).toMatchObject({ found: { size: 5 } });
    expect(readSmallFileAtOnce(file, 4)?.bytes).toBeUndefined();
    expect(readSmallFileAtOnce(join(directory.path, 'pipe'), 5)).toBeUndefined();
    expect(() => readSmallFileAtOnce(join(directory.path, 'absent'), 5)).toThrow('ENOENT');
  });
});
