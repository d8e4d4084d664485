// The files of an OCI layout (OCI image specification 1.1, image-layout.md), in a directory or in an archive.
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { isFsError, translatingFsErrors } from '../../io/files/fs-errors.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { type Digest, digestAlgorithm, digestHex } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';

export const LAYOUT_FILE = 'oci-layout';
export const INDEX_FILE = 'index.json';
export const LAYOUT_VERSION = '{"imageLayoutVersion":"1.0.0"}';

export interface LayoutFiles {
  /** For messages: `oci:DIR`. */
  readonly label: string;
  /** The size in bytes. Returns `undefined` if there is no such file. Paths are relative: `blobs/sha256/HEX`. */
  size(path: string): Promise<number | undefined>;
  /** Why there is no such file, like `it is a link to x, which is not there`. Returns `undefined` if it simply does not exist. */
  why?(path: string): string | undefined;
  /** The bytes from byte `from` on. Errors: BLOB_UNKNOWN. */
  open(path: string, from: number): Promise<Bytes>;
}

export function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

/** Reads a small file. Returns `undefined` if there is none. Errors: MANIFEST_INVALID if it has more than `limit` bytes. */
export async function readSmall(files: LayoutFiles, path: string, limit: number): Promise<Uint8Array | undefined> {
  const size = await files.size(path);
  if (size === undefined) return undefined;
  if (size > limit) throw new ImagesError('MANIFEST_INVALID', `${path} is too large [${size} bytes in ${files.label}]`);
  return Buffer.concat(await Array.fromAsync(await files.open(path, 0)));
}

/** A layout in a directory. Errors: as `LayoutFiles` says, and NO_ACCESS. */
export function layoutDirectoryFiles(directory: string, label: string): LayoutFiles {
  return {
    label,
    size: (path) =>
      translatingFsErrors(directory, async () => {
        try {
          const found = await stat(join(directory, path));
          return found.isFile() ? found.size : undefined;
        } catch (error) {
          if (isFsError(error, 'ENOENT', 'ENOTDIR')) return undefined;
          throw error;
        }
      }),
    open: (path, from) =>
      translatingFsErrors(directory, async () => {
        try {
          return await readFileBytes(await open(join(directory, path), 'r'), { from, close: true });
        } catch (error) {
          if (!isFsError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw error;
          throw new ImagesError('BLOB_UNKNOWN', `there is no ${path} [${label}]`, { cause: error });
        }
      }),
  };
}
