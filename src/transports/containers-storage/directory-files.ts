// A store in a directory. Small files are read synchronously: a layer has a hundred thousand of them, in the page cache or next to each other, and Node's
// thread pool would take ten times as long as the read itself.
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { isFsError, translateFsError } from '../../io/files/fs-errors.ts';
import { ImagesError } from '../../oci/errors.ts';
import { decodeName, encodeName, printableName } from '../../tar/names.ts';
import { createResolver } from './resolve-name.ts';
import type { LayerContent, StoreFiles } from './store-files.ts';

const SMALL = 256 * 1024;
/** A store may come from an untrusted user: a symbolic link at the end is not followed, and a fifo does not block. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export function directoryFiles(root: string): StoreFiles {
  return {
    label: root,
    async read(path) {
      try {
        return await readFile(join(root, path));
      } catch (error) {
        if (isFsError(error, 'ENOENT', 'ENOTDIR')) return undefined;
        throw unreadable(error, join(root, path));
      }
    },
    layerContent: async (id) => contentIn(join(root, 'overlay', id, 'diff')),
    async [Symbol.asyncDispose]() {},
  };
}

function contentIn(diff: string): LayerContent {
  const resolve = createResolver((path) => linkAt(pathIn(diff, path)));
  return {
    open(name, size) {
      const resolved = resolve(name);
      if (resolved === undefined) throw notThere(diff, name);
      const path = pathIn(diff, resolved);
      return size <= SMALL ? [readSmall(diff, path, name)] : readLarge(diff, path, name, size);
    },
  };
}

/** Reads one byte more than a small file may have, so that the caller notices a file that has grown. */
function readSmall(diff: string, path: Buffer, name: string): Uint8Array {
  let fd: number;
  try {
    fd = openSync(path, FLAGS);
  } catch (error) {
    throw cannotOpen(error, diff, name);
  }
  try {
    const info = fstatSync(fd);
    if (!info.isFile()) throw notThere(diff, name);
    const buffer = Buffer.allocUnsafe(Math.min(info.size, SMALL + 1));
    let filled = 0;
    while (filled < buffer.length) {
      const count = readSync(fd, buffer, filled, buffer.length - filled, null);
      if (count === 0) break;
      filled += count;
    }
    return buffer.subarray(0, filled);
  } finally {
    closeSync(fd);
  }
}

async function* readLarge(diff: string, path: Buffer, name: string, size: number): AsyncGenerator<Uint8Array> {
  const handle = await open(path, FLAGS).catch((error: unknown) => {
    throw cannotOpen(error, diff, name);
  });
  try {
    if (!(await handle.stat()).isFile()) throw notThere(diff, name);
    yield* await readFileBytes(handle, { to: size + 1 });
  } finally {
    await handle.close();
  }
}

/** Names may not be valid UTF-8. */
function pathIn(diff: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${diff}/`), encodeName(path)]);
}

function linkAt(path: Buffer): string | undefined {
  try {
    return decodeName(readlinkSync(path, 'buffer'));
  } catch {
    return undefined;
  }
}

function cannotOpen(error: unknown, diff: string, name: string): unknown {
  if (isFsError(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO')) return notThere(diff, name);
  return unreadable(error, `${diff}/${printableName(name)}`);
}

function notThere(diff: string, name: string): ImagesError {
  return new ImagesError('TAR_INVALID', `a file of the layer is not there [${printableName(name)} in ${diff}]`, {
    hint: 'The store is damaged: remove the image there and fetch it again.',
  });
}

function unreadable(error: unknown, path: string): unknown {
  if (!isFsError(error, 'EACCES', 'EPERM')) return translateFsError(error, path);
  return new ImagesError('NO_ACCESS', `permission denied [${path}]`, {
    hint: 'Run it as root, or for a store of your own inside `podman unshare`.',
    cause: error,
  });
}
