// A file to be read from any position, which may be compressed, or no file but a pipe: then its content, uncompressed, is in a file without a name.
import type { FileHandle } from 'node:fs/promises';
import { compressionOf, MAGIC_LENGTH } from '../compression/compression.ts';
import { decompressed } from '../compression/decompress.ts';
import { tapped } from '../streams/verify.ts';
import { readFileBytes } from './file-bytes.ts';
import { spooled } from './temporary-file.ts';

export interface UncompressedOptions {
  /** Where the file without a name is made. */
  readonly directory: string;
  readonly signal?: AbortSignal;
}

/** Takes the handle over, unless it throws: the one that is given back is to be closed. Errors: COMPRESSION_INVALID, NO_SPACE, those of `temporaryFile`. */
export async function openUncompressed(
  handle: FileHandle,
  { directory, signal }: UncompressedOptions,
): Promise<FileHandle> {
  const isFile = (await handle.stat()).isFile();
  if (isFile && !(await isCompressed(handle))) return handle;
  const packed = isFile ? await readFileBytes(handle, {}) : handle.createReadStream({ autoClose: false });
  const plain = tapped(decompressed(packed), () => signal?.throwIfAborted());
  const unpacked = await spooled(plain, directory);
  await handle.close();
  return unpacked;
}

async function isCompressed(handle: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC_LENGTH), 0, MAGIC_LENGTH, 0);
  return compressionOf(buffer.subarray(0, bytesRead)) !== undefined;
}
