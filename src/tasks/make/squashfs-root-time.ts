// Sets the time of a squashfs' root directory where it stands: sqfstar 4.5 gives it the time of the day, whatever it is told.
import { type FileHandle, open } from 'node:fs/promises';
import { ImagesError } from '../../oci/errors.ts';

const MAGIC = 'hsqs';
/** Of inodes and directories, uncompressed. */
const METADATA_BLOCK = 8192;
const IS_UNCOMPRESSED = 0x8000;
const DIRECTORIES: readonly number[] = [1, 8];
/** Of the time in every inode. */
const TIME_AT = 8;

/**
 * `time` in seconds. The inode table must be uncompressed (`-noI`). Positions: Documentation/filesystems/squashfs.rst of Linux. Errors: UNSUPPORTED for a
 * file that is otherwise.
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
    // Each block has two bytes before it, and an inode may go on in the next.
    const place = (at: number) => block + at + 2 * (Math.floor(at / METADATA_BLOCK) + 1);
    const type = await bytesAt(handle, place(offset), 2);
    if (!DIRECTORIES.includes(type.readUInt16LE())) throw unknownForm(path);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(time);
    for (const [at, byte] of bytes.entries()) await handle.write(Buffer.of(byte), 0, 1, place(offset + TIME_AT + at));
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
