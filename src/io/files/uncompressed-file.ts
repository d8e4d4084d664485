// Random access to a file that may be compressed, or to a pipe: the uncompressed content is then put into an unnamed temporary file.
import type { FileHandle } from 'node:fs/promises';
import { compressionOf, MAGIC_LENGTH } from '../compression/compression.ts';
import { decompressed } from '../compression/decompress.ts';
import { stoppable } from '../streams/stoppable.ts';
import { readFileBytes } from './file-bytes.ts';
import { spooled } from './temporary-file.ts';

export interface UncompressedOptions {
  /** The directory for the temporary file. */
  readonly directory: string;
  readonly signal?: AbortSignal;
}

/** Takes ownership of the handle, unless it throws; the caller closes the returned one. Errors: COMPRESSION_INVALID, NO_SPACE, those of `temporaryFile`. */
export async function openUncompressed(
  handle: FileHandle,
  { directory, signal }: UncompressedOptions,
): Promise<FileHandle> {
  const isFile = (await handle.stat()).isFile();
  if (isFile && !(await isCompressed(handle))) return handle;
  const packed = isFile ? await readFileBytes(handle, {}) : handle.createReadStream({ autoClose: false });
  const plain = stoppable(decompressed(packed), signal);
  const unpacked = await spooled(plain, directory);
  await handle.close();
  return unpacked;
}

async function isCompressed(handle: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC_LENGTH), 0, MAGIC_LENGTH, 0);
  return compressionOf(buffer.subarray(0, bytesRead)) !== undefined;
}
