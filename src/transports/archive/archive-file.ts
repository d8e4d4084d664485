// A tar archive as files that can be read in any order: where each stands is found by passing over the bodies. A compressed archive, or one that
// comes through a pipe, is unpacked once, into a file without a name.
import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compressionOf } from '../../io/compression.ts';
import { decompressed } from '../../io/decompress.ts';
import { isFsError, translatingFsErrors } from '../../io/fs-errors.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { Bytes, CallOptions } from '../../registry/contract.ts';
import { readFileBytes } from '../../storage/fs-read.ts';
import { fileWriter } from '../../storage/fs-write.ts';
import { readTar } from '../../tar/reader.ts';
import type { LayoutFiles } from '../layout/layout-files.ts';

export interface ArchivedFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Of its first byte in the uncompressed archive. */
  readonly at: number;
}

export interface ArchiveFile extends LayoutFiles, AsyncDisposable {
  /** The file of this name, links in the archive followed; `undefined` where there is none. */
  find(name: string): ArchivedFile | undefined;
  /** Of all regular files. */
  names(): Iterable<string>;
}

export interface OpenArchiveOptions extends CallOptions {
  /** For messages: `oci-archive:FILE`. */
  readonly label: string;
  /** Where a compressed archive is unpacked; the system's place when absent. */
  readonly temporaryDirectory?: string;
}

/** Beyond these an archive is no image's. */
const MAX_ENTRIES = 200_000;
const MAX_LINKS = 8;
/** A body of this many bytes is passed over by seeking. */
const FAR = 64 * 1024;
const [FIRST_CHUNK, LAST_CHUNK] = [8 * 1024, 256 * 1024];

/** Errors: FILE_UNREADABLE, TAR_INVALID, COMPRESSION_INVALID, NO_SPACE. */
export async function openArchive(path: string, options: OpenArchiveOptions): Promise<ArchiveFile> {
  const { label } = options;
  const handle = await openSeekable(path, options);
  try {
    const files = await listFiles(handle, options);
    const find = (name: string) => resolve(files, name);
    return {
      label,
      find,
      *names() {
        for (const [name, { type }] of files) if (type === 'file') yield name;
      },
      size: async (name) => find(name)?.size,
      async open(name, from) {
        const file = find(name);
        if (!file) throw new ImagesError('BLOB_UNKNOWN', `there is no ${name} [${label}]`);
        return readFileBytes(handle, { from: file.at + from, to: file.at + file.size });
      },
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw inArchive(error, label);
  }
}

/** Says in which archive it was. */
function inArchive(error: unknown, label: string): unknown {
  if (!isImagesError(error, 'TAR_INVALID', 'COMPRESSION_INVALID') || error.message.includes(label)) return error;
  return new ImagesError(error.code, `${error.message} [${label}]`, {
    hint: error.hint ?? 'The archive is damaged or was not written to its end: make it again.',
    cause: error,
  });
}

async function openSeekable(path: string, options: OpenArchiveOptions): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (!isFsError(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES')) throw error;
    throw new ImagesError('FILE_UNREADABLE', `cannot read the archive [${path}]: ${error.code}`, { cause: error });
  }
  try {
    const info = await handle.stat();
    if (info.isDirectory()) {
      throw new ImagesError('FILE_UNREADABLE', `a directory is no archive [${path}]`, {
        hint: 'An OCI layout in a directory is oci:DIR.',
      });
    }
    if (info.isFile()) {
      const start = Buffer.alloc(8);
      const { bytesRead } = await handle.read(start, 0, start.length, 0);
      if (compressionOf(start.subarray(0, bytesRead)) === undefined) return handle;
    }
    const packed = info.isFile() ? await readFileBytes(handle, {}) : handle.createReadStream({ autoClose: false });
    const unpacked = await unpack(packed, options);
    await handle.close();
    return unpacked;
  } catch (error) {
    await handle.close();
    throw inArchive(error, options.label);
  }
}

async function unpack(
  packed: Bytes,
  { temporaryDirectory = tmpdir(), signal }: OpenArchiveOptions,
): Promise<FileHandle> {
  return translatingFsErrors(temporaryDirectory, async () => {
    const path = join(temporaryDirectory, `images-archive-${crypto.randomUUID()}`);
    const handle = await open(path, 'wx+', 0o600);
    try {
      // It goes when the handle is closed, also by kill -9.
      await rm(path);
      const writer = fileWriter(handle, 0);
      for await (const chunk of decompressed(packed)) {
        signal?.throwIfAborted();
        await writer.append(chunk);
      }
      await writer.flush();
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  });
}

type Listed =
  | ({ readonly type: 'file' } & ArchivedFile)
  | { readonly type: 'link'; readonly to: string; readonly name: string };

async function listFiles(
  handle: FileHandle,
  { label, signal }: OpenArchiveOptions,
): Promise<ReadonlyMap<string, Listed>> {
  const { size } = await handle.stat();
  const files = new Map<string, Listed>();
  let offset = 0;
  let entries = 0;
  while (offset < size) {
    let next = size;
    for await (const entry of readTar(chunks(handle, offset, size))) {
      signal?.throwIfAborted();
      if (++entries > MAX_ENTRIES) throw new ImagesError('TAR_INVALID', `more than ${MAX_ENTRIES} entries [${label}]`);
      const { body, end } = entry.position;
      const name = cleanName(entry.name);
      if (name !== undefined) {
        if (entry.type === 'file' && !entry.sparse) {
          files.set(name, { type: 'file', name, size: entry.size, at: offset + body });
        } else if (entry.type === 'symlink' || entry.type === 'hardlink') {
          const from = entry.type === 'symlink' ? name.slice(0, name.lastIndexOf('/') + 1) : '';
          const to = cleanName(from + entry.linkname);
          if (to !== undefined) files.set(name, { type: 'link', name, to });
        }
      }
      if (offset + body + entry.size > size && !entry.sparse) {
        throw new ImagesError('TAR_INVALID', `the archive breaks off in ${entry.name} [${label}]`);
      }
      if (end - body >= FAR) {
        next = offset + end;
        break;
      }
    }
    offset = next;
  }
  return files;
}

/** From `offset` on: a little first, for mostly one header is wanted. */
async function* chunks(handle: FileHandle, offset: number, size: number): AsyncGenerator<Uint8Array> {
  for (let at = offset, length = FIRST_CHUNK; at < size; length = Math.min(length * 2, LAST_CHUNK)) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(Math.min(length, size - at)), { position: at });
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** `./a//b` is `a/b`; `undefined` for what climbs out of the archive: it is nobody's. */
function cleanName(name: string): string | undefined {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.length > 0 ? parts.join('/') : undefined;
}

function resolve(files: ReadonlyMap<string, Listed>, name: string): ArchivedFile | undefined {
  let wanted = cleanName(name);
  for (let links = 0; wanted !== undefined && links <= MAX_LINKS; links++) {
    const found = files.get(wanted);
    if (found?.type !== 'link') return found;
    wanted = found.to;
  }
  return undefined;
}
