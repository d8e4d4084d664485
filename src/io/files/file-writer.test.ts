import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { fileWriter, gatheringWriter } from './file-writer.ts';

describe('a writer of a file', () => {
  it('writes where it was told to begin, and goes on where it was cut', async () => {
    await using directory = await temporaryDirectory('writer');
    const path = join(directory.path, 'x');
    await using handle = await open(path, 'w+');
    await handle.writeFile('old bytes');
    const writer = fileWriter(handle, 4);
    await writer.append(Buffer.from('new'));
    await writer.append(Buffer.from(' and more'));
    expect(writer.size).toBe(16);
    await writer.truncate(7);
    expect(writer.size).toBe(7);
    await writer.append(Buffer.from('!'));
    await writer.flush();
    expect(`${await readFile(path)}`).toBe('old new!');
  });

  it('writes without the thread pool what may be written so', async () => {
    await using directory = await temporaryDirectory('writer');
    const path = join(directory.path, 'x');
    await using handle = await open(path, 'w+');
    const runs: number[] = [];
    const run = (call: () => number) => {
      const count = call();
      runs.push(count);
      return count;
    };
    const writer = fileWriter(handle, 0, { atOnce: (bytes) => (bytes < 8 ? run : undefined) });
    for (const text of ['short', 'and long text', 'end']) {
      await writer.append(Buffer.from(text));
      await writer.flush();
    }
    expect(runs).toEqual([5, 3]);
    expect(`${await readFile(path)}`).toBe('shortand long textend');
  });

  it('can drop what it has gathered, and can be cut back then', async () => {
    await using directory = await temporaryDirectory('writer');
    const path = join(directory.path, 'x');
    await using handle = await open(path, 'w+');
    const writer = fileWriter(handle, 0);
    await writer.append(Buffer.from('kept'));
    await writer.flush();
    await writer.append(Buffer.from('dropped'));
    await writer.abandon();
    await writer.truncate(4);
    expect(writer.size).toBe(4);
    expect(`${await readFile(path)}`).toBe('kept');
  });
});

describe('a writer of anything that takes bytes', () => {
  it('writes again until all bytes are taken, also after there was no room', async () => {
    const taken: Uint8Array[] = [];
    const room = [0, 2, 0, 5, 1, 100];
    const writer = gatheringWriter(async (chunks) => {
      const portion = Buffer.concat(chunks).subarray(0, room.shift() ?? 0);
      taken.push(portion);
      return portion.length;
    });
    for (const text of ['abc', '', 'defg', 'hij']) await writer.append(Buffer.from(text));
    await writer.flush();
    expect(`${Buffer.concat(taken)}`).toBe('abcdefghij');
    expect(room).toEqual([]);
  });

  it('throws a failure at the next call, and then says how much was written', async () => {
    let calls = 0;
    const writer = gatheringWriter(async () => {
      if (++calls === 2) throw new Error('full');
      return 3;
    });
    await writer.append(Buffer.from('abcdef'));
    await expect(writer.flush()).rejects.toThrow('full');
    expect(writer.size).toBe(3);
    await expect(writer.append(Buffer.from('g'))).rejects.toThrow('full');
  });

  it('writes less at a time while many others have gathered much', async () => {
    let writes = 0;
    const newWriter = () =>
      gatheringWriter(async (chunks) => {
        writes++;
        return chunks.reduce((sum, { length }) => sum + length, 0);
      });
    const half = Buffer.alloc(512 * 1024);
    const many = Array.from({ length: 40 }, newWriter);
    for (const writer of many) await writer.append(half);
    // 16 MB are in memory, in 32 of them.
    expect(writes).toBe(8);
    for (const writer of many) await writer.abandon();
    const alone = newWriter();
    await alone.append(half);
    expect(writes).toBe(8);
    await alone.append(half);
    expect(writes).toBe(9);
    await alone.flush();
  });
});
