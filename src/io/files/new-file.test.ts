import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeNewFile } from './new-file.ts';

const atOnce = (call: () => void) => call();
const madeAtOnce = (call: () => number) => call();

it.each([{}, { synced: true }, { atOnce }, { atOnce, madeAtOnce }, { madeAtOnce }])(
  'a new file has its bytes, and what is there stays [%o]',
  async (options) => {
    const directory = await mkdtemp(join(tmpdir(), 'new-file-'));
    try {
      const path = join(directory, 'file');
      const bytes = Buffer.alloc(300_000, 'some bytes');
      const made = await writeNewFile(path, bytes, options);
      expect(await readFile(path)).toEqual(bytes);
      const { ino, size, mtimeMs } = await stat(path);
      expect(made).toMatchObject({ ino, size, mtimeMs });
      await expect(writeNewFile(path, Buffer.from('others'), options)).rejects.toMatchObject({ code: 'EEXIST' });
      await expect(writeNewFile(join(directory, 'none/file'), bytes, options)).rejects.toMatchObject({
        code: 'ENOENT',
      });
      expect(await readFile(path)).toEqual(bytes);
      await writeNewFile(join(directory, 'empty'), new Uint8Array(), options);
      expect(await readFile(join(directory, 'empty'))).toEqual(Buffer.alloc(0));
    } finally {
      await rm(directory, { recursive: true });
    }
  },
);
