import { open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readFileBytes } from './file-bytes.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

let path: string;
beforeEach(async () => {
  path = join(tmpdir(), `images-file-bytes-${process.pid}`);
  await writeFile(path, Buffer.alloc(600_000, 1));
});
afterEach(() => rm(path));

describe('a stream of a file’s bytes', () => {
  it.each<[string, (iterator: AsyncIterator<Uint8Array>) => Promise<unknown>]>([
    ['before the first chunk', async (iterator) => await iterator.return?.()],
    [
      'after a chunk',
      async (iterator) => {
        await iterator.next();
        await iterator.return?.();
      },
    ],
    [
      'at the end',
      async (iterator) => {
        while (!(await iterator.next()).done);
      },
    ],
  ])('closes the file if it is left %s', async (_, leave) => {
    const handle = await open(path);
    await leave((await readFileBytes(handle, { close: true }))[Symbol.asyncIterator]());
    expect(handle.fd).toBe(-1);
  });

  it.each([
    ['it is no file', false],
    ['its size cannot be told', true],
  ])('closes the file if %s', async (_, fails) => {
    const handle = await open(tmpdir());
    if (fails) vi.spyOn(handle, 'stat').mockRejectedValue(new Error('EIO'));
    await expect(readFileBytes(handle, { close: true })).rejects.toThrow();
    expect(handle.fd).toBe(-1);
  });

  it('fills memory that is used again, up to the end of the range, and closes the file when it is left', async () => {
    const handle = await open(path);
    await handle.read(Buffer.alloc(1), 0, 1, 0);
    const bytes = await readFileBytes(handle, { from: 100_000, to: 250_000, close: true });
    const buffer = Buffer.alloc(100_000);
    expect(await bytes.fill(buffer)).toBe(100_000);
    expect(buffer.equals(Buffer.alloc(100_000, 1))).toBe(true);
    expect(await bytes.fill(buffer)).toBe(50_000);
    expect(await bytes.fill(buffer)).toBe(0);
    await bytes[Symbol.asyncIterator]().return?.();
    expect(handle.fd).toBe(-1);
    expect(await bytes.fill(buffer)).toBe(0);
  });

  it.each([0, 1])(
    'closes the file if it is forgotten after %i chunks: an open handle must not be garbage-collected',
    async (chunks) => {
      const handle = await open(path);
      await (async () => {
        const iterator = (await readFileBytes(handle, { close: true }))[Symbol.asyncIterator]();
        for (let read = 0; read < chunks; read++) await iterator.next();
      })();
      while (handle.fd !== -1) {
        collectGarbage();
        await setImmediate();
      }
    },
  );
});
