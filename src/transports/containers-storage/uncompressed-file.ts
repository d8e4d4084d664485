// A file that may be compressed, to be read from any position: as it is, or uncompressed into a temporary file.
import type { FileHandle } from 'node:fs/promises';
import { compressionOf } from '../../io/compression.ts';
import { decompressed } from '../../io/decompress.ts';
import { readFileBytes } from '../../io/file-bytes.ts';
import { spooled } from '../../io/temporary-file.ts';

const MAGIC = 16;

/** Takes the handle over: the one that is given back is to be closed. Errors: COMPRESSION_INVALID, NO_SPACE. */
export async function openUncompressed(handle: FileHandle, directory: string): Promise<FileHandle> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC), 0, MAGIC, 0);
  if (compressionOf(buffer.subarray(0, bytesRead)) === undefined) return handle;
  const plain = await spooled(decompressed(await readFileBytes(handle, {})), directory);
  await handle.close();
  return plain;
}
