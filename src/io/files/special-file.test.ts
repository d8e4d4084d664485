import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { targetAt } from './special-file.ts';

it.each([
  ['/dev/stdout', 'special'],
  ['/dev/null', 'special'],
  ['/dev/fd/1', 'special'],
  ['/dev/shmfile', 'special'],
  ['/proc/self/fd/1', 'special'],
  ['/dev/shm/images-absent/x.tar', 'file'],
  ['/dev/shm/images-absent', 'file'],
])('[%s] is a target of the kind [%s], whatever is there', async (path, kind) => {
  expect(await targetAt(path)).toBe(kind);
});

it('elsewhere it depends on what is there', async () => {
  const top = await mkdtemp(join(tmpdir(), 'images-special-'));
  try {
    await writeFile(join(top, 'file'), '');
    const kinds = await Promise.all(['file', 'absent', 'file/below', '.'].map((name) => targetAt(join(top, name))));
    expect(kinds).toEqual(['file', 'file', 'file', 'directory']);
  } finally {
    await rm(top, { recursive: true });
  }
});
