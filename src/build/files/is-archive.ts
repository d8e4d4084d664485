// Detects a tar archive by its content: names are not reliable.
import { decompressed } from '../../io/compression/decompress.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { isImagesError } from '../../oci/errors.ts';
import { readTar } from '../../tar/reader.ts';

/** Stops reading at the first entry. An empty archive counts as none, as everywhere. */
export async function isArchive(bytes: Bytes): Promise<boolean> {
  try {
    for await (const _ of readTar(decompressed(bytes))) return true;
    return false;
  } catch (error) {
    if (isImagesError(error, 'TAR_INVALID', 'COMPRESSION_INVALID')) return false;
    throw error;
  }
}
