// Sets the time of a squashfs' root directory in place: sqfstar 4.5 always gives it the current time.
import { type FileHandle, open } from 'node:fs/promises';
import { ImagesError } from '../../oci/errors.ts';

const MAGIC = 'hsqs';
/** The block size of inode and directory tables, uncompressed. */
const METADATA_BLOCK = 8192;
const IS_UNCOMPRESSED = 0x8000;
const DIRECTORIES: readonly number[] = [1, 8];
/** The offset of the time in every inode. */
const TIME_AT = 8;

/**
 * `time` is in seconds. The inode table must be uncompressed (`-noI`). Offsets: Documentation/filesystems/squashfs.rst of Linux. Errors: UNSUPPORTED if the
 * file has another form.
 */
export async function setRootTime(path: string, time: number): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    const head = await bytesAt(handle, 0, 96);
    if (head.toString('latin1', 0, 4) !== MAGIC) throw unknownForm(path);
    const root = head.readBigUInt64LE(32);
    const block = Number(head.readBigUInt64LE(64) + (root >> 16n));
    const offset = Number(root & 0xffffn);
    if (((await bytesAt(handle, block, 2)).readUInt16LE() & IS_UNCOMPRESSED) === 0) throw unknownForm(path);
    // Each metadata block has a header of two bytes, and an inode may cross into the next block.
    const offsetOnDisk = (at: number) => block + at + 2 * (Math.floor(at / METADATA_BLOCK) + 1);
    const type = await bytesAt(handle, offsetOnDisk(offset), 2);
    if (!DIRECTORIES.includes(type.readUInt16LE())) throw unknownForm(path);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(time);
    for (const [at, byte] of bytes.entries())
      await handle.write(Buffer.of(byte), 0, 1, offsetOnDisk(offset + TIME_AT + at));
  } finally {
    await handle.close();
  }
}

async function bytesAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at);
  if (bytesRead < length) throw new ImagesError('UNSUPPORTED', 'the squashfs that was made ends early');
  return buffer;
}

function unknownForm(path: string): ImagesError {
  return new ImagesError('UNSUPPORTED', `the program for squashfs made something else than expected [${path}]`, {
    hint: 'Install squashfs-tools-ng (tar2sqfs): it is taken where it is there.',
  });
}
