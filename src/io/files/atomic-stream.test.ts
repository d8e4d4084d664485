import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeStreamAtomically } from './atomic-stream.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'images-atomic-stream-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function* chunks(...parts: readonly (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield Buffer.from(part);
  }
}

describe('a stream that is written to a file', () => {
  it('is there whole, in the place of what was there', async () => {
    const path = join(directory, 'x');
    await writeFile(path, 'something older and longer');
    await writeStreamAtomically(path, chunks('new', '', 'er'));
    expect(`${await readFile(path)}`).toBe('newer');
    expect(await readdir(directory)).toEqual(['x']);
  });

  it('changes nothing where it fails', async () => {
    const path = join(directory, 'x');
    await writeFile(path, 'old');
    await expect(writeStreamAtomically(path, chunks('new', new Error('enough')))).rejects.toThrow('enough');
    expect(`${await readFile(path)}`).toBe('old');
    expect(await readdir(directory)).toEqual(['x']);
  });

  it('names the file that was meant where its directory is not there', async () => {
    const path = join(directory, 'nowhere/x');
    await expect(writeStreamAtomically(path, chunks('new'))).rejects.toMatchObject({ code: 'ENOENT', path });
  });

  it('goes through what the system calls a file, as /dev/stdout, and leaves that as it is', async () => {
    const path = join(directory, 'x');
    await using handle = await open(path, 'w');
    await writeStreamAtomically(`/proc/self/fd/${handle.fd}`, chunks('through'));
    expect(`${await readFile(path)}`).toBe('through');
  });
});
