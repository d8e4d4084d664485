// A store in a tar archive, as made for VMs. It is indexed in one pass and then read by position. Nothing is unpacked.
import { readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { isFsError, translateFsError } from '../../io/files/fs-errors.ts';
import { openUncompressed } from '../../io/files/uncompressed-file.ts';
import { ImagesError } from '../../oci/errors.ts';
import { inArchive } from '../../rootfs/damaged.ts';
import { printableName } from '../../tar/names.ts';
import { zeros } from '../../tar/zeros.ts';
import { createResolver } from './resolve-name.ts';
import type { LayerContent, StoreFiles } from './store-files.ts';
import { type FileExtent, indexStoreTar, type StoreIndex } from './store-index.ts';

/** How many bytes are read at once, for small files that are next to each other. */
const WINDOW = 1024 * 1024;

/** `directory` is for the uncompressed form of a compressed archive. Errors: FILE_UNREADABLE, TAR_INVALID, COMPRESSION_INVALID, NO_SPACE. */
export async function tarFiles(path: string, directory: string): Promise<StoreFiles> {
  const handle = await openTar(path, directory);
  try {
    return filesIn(path, await indexStoreTar(handle), handle);
  } catch (error) {
    await handle.close();
    throw inArchive(error, path);
  }
}

/** The archive, uncompressed. Errors: FILE_UNREADABLE, COMPRESSION_INVALID, NO_SPACE. */
export async function openTar(path: string, directory: string): Promise<FileHandle> {
  const handle = await openFile(path);
  try {
    return await openUncompressed(handle, { directory });
  } catch (error) {
    await handle.close();
    throw inArchive(error, path);
  }
}

/** The files in an open archive, which stays the caller's. Errors: TAR_INVALID. */
export async function tarFilesIn(
  handle: FileHandle,
  path: string,
): Promise<Omit<StoreFiles, typeof Symbol.asyncDispose>> {
  try {
    return filesIn(path, await indexStoreTar(handle), handle);
  } catch (error) {
    throw inArchive(error, path);
  }
}

function filesIn(label: string, index: StoreIndex, handle: FileHandle): StoreFiles {
  const small = windowReader(handle.fd);
  return {
    label,
    async read(path) {
      const file = index.records.get(path);
      return file && Buffer.concat(await Array.fromAsync(contentOf(handle, file)));
    },
    layerContent: async (id) =>
      contentIn(index, id, (file, name) => {
        if (file === undefined) throw notThere(label, name);
        return file.sparse || file.size > WINDOW / 4 ? contentOf(handle, file) : [small(file.at, file.size)];
      }),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

type Opened = ReturnType<LayerContent['open']>;

function contentIn(
  index: StoreIndex,
  id: string,
  open: (file: FileExtent | undefined, name: string) => Opened,
): LayerContent {
  const tree = index.trees.get(id);
  const resolve = createResolver((path) => tree?.links.get(path));
  return {
    open(name) {
      const path = resolve(name);
      const found = path === undefined ? undefined : tree?.files.get(path);
      return open(typeof found === 'string' ? index.linked(found) : found, name);
    },
  };
}

async function* contentOf(handle: FileHandle, file: FileExtent): AsyncGenerator<Uint8Array> {
  if (!file.sparse) {
    yield* await readFileBytes(handle, { from: file.at, to: file.at + file.size });
    return;
  }
  let stored = file.at;
  let at = 0;
  for (const { offset, length } of file.sparse) {
    yield* zeros(offset - at);
    yield* await readFileBytes(handle, { from: stored, to: stored + length });
    stored += length;
    at = offset + length;
  }
  yield* zeros(file.size - at);
}

/** Synchronous, like reading small files of a directory, and for the same reason. */
function windowReader(fd: number): (at: number, size: number) => Uint8Array {
  let window: Buffer = Buffer.alloc(0);
  let start = 0;
  return (at, size) => {
    if (at < start || at + size > start + window.length) {
      // A new buffer, because slices of the old one have been returned to callers.
      const buffer = Buffer.allocUnsafeSlow(WINDOW);
      window = buffer.subarray(0, readSync(fd, buffer, 0, WINDOW, at));
      start = at;
    }
    return window.subarray(at - start, at - start + size);
  };
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isFsError(error, 'EACCES', 'EPERM')) throw translateFsError(error, path);
    throw new ImagesError('FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
  }
}

function notThere(label: string, name: string): ImagesError {
  return new ImagesError(
    'TAR_INVALID',
    `a file of a layer is not in the archive [${printableName(name)} in ${label}]`,
    {
      hint: 'Make the archive again: it is damaged.',
    },
  );
}
