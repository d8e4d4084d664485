import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { setRootTime } from './squashfs-root-time.ts';

/** Where the inode table begins. */
const TABLE = 200;
const BLOCK = 8192;

interface Form {
  /** The root inode's offset in its metadata block. */
  readonly offset?: number;
  /** The metadata block with the root inode, counted from the first. */
  readonly block?: number;
  readonly type?: number;
  readonly isCompressed?: boolean;
  readonly magic?: string;
}

/**
 * A superblock, and an inode table in which only the root's inode says something. Offsets: Documentation/filesystems/squashfs.rst of Linux
 * (the root inode's reference at 32, the inode table's position at 64; a reference has the block's position above 16 bits, and the offset in it below).
 */
function squashfs({ offset = 0, block = 0, type = 1, isCompressed = false, magic = 'hsqs' }: Form): Buffer {
  const bytes = Buffer.alloc(TABLE + 3 * (BLOCK + 2), 0x55);
  bytes.write(magic, 0, 'latin1');
  bytes.writeBigUInt64LE((BigInt(block * (BLOCK + 2)) << 16n) | BigInt(offset), 32);
  bytes.writeBigUInt64LE(BigInt(TABLE), 64);
  for (const each of [0, 1, 2]) bytes.writeUInt16LE(BLOCK | (isCompressed ? 0 : 0x8000), TABLE + each * (BLOCK + 2));
  bytes.writeUInt16LE(type, at(block, offset));
  return bytes;
}

/** The position in the file of a byte of the table. Each block of 8192 bytes has a header of two. */
function at(block: number, offset: number): number {
  const inTable = block * BLOCK + offset;
  return TABLE + inTable + 2 * (Math.floor(inTable / BLOCK) + 1);
}

/** The bytes of the file whose root's time was set to `time`. */
async function withTime(form: Form | Buffer, time: number): Promise<Buffer> {
  await using place = await temporaryDirectory('squashfs');
  const path = join(place.path, 'file');
  await writeFile(path, Buffer.isBuffer(form) ? form : squashfs(form));
  await setRootTime(path, time);
  return await readFile(path);
}

describe('the time of a squashfs’ root', () => {
  it.each([
    ['at the beginning of the table', {}],
    ['of the extended kind', { type: 8, offset: 700 }],
    ['in a later block', { block: 1, offset: 40 }],
  ])('is set in an inode %s, and nothing else changes', async (_, form: Form) => {
    const { block = 0, offset = 0 } = form;
    const expected = squashfs(form);
    expected.writeUInt32LE(0x01020304, at(block, offset + 8));
    expect((await withTime(form, 0x01020304)).equals(expected)).toBe(true);
  });

  it('is set where the inode crosses into the next block', async () => {
    const offset = BLOCK - 10;
    const expected = squashfs({ offset });
    const time = Buffer.alloc(4);
    time.writeUInt32LE(0x01020304);
    for (const [each, byte] of time.entries()) expected[at(0, offset + 8 + each)] = byte;
    // The header of the second block is between the second and the third byte.
    expect(at(0, offset + 10) - at(0, offset + 9)).toBe(3);
    expect((await withTime({ offset }, 0x01020304)).equals(expected)).toBe(true);
  });
});

describe('a file of another form', () => {
  it.each([
    ['that is no squashfs', { magic: 'sqsh' }],
    ['whose table is compressed', { isCompressed: true }],
    ['whose root is no directory', { type: 2 }],
  ])('%s is reported, and stays as it is', async (_, form: Form) => {
    await using place = await temporaryDirectory('squashfs');
    const path = join(place.path, 'file');
    await writeFile(path, squashfs(form));
    await expect(setRootTime(path, 1)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining(path),
      hint: expect.stringContaining('tar2sqfs'),
    });
    expect((await readFile(path)).equals(squashfs(form))).toBe(true);
  });

  it('that ends early is reported', async () => {
    for (const length of [0, 95, TABLE, TABLE + 3]) {
      await expect(withTime(squashfs({}).subarray(0, length), 1)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    }
  });
});
