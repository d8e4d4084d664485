// Lists the entries of a tar archive in a file by seeking over the bodies: a large archive is not read.
import type { FileHandle } from 'node:fs/promises';
import type { CallOptions } from '../../io/streams/bytes.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { printableName } from '../../tar/names.ts';
import { onlyHeader } from '../../tar/plain-header.ts';
import { readTar } from '../../tar/reader.ts';

export interface SoughtEntry extends TarHeader {
  /** Offset of its first content byte in the file. */
  readonly at: number;
}

/** Bodies of at least this size are skipped by seeking. */
const FAR = 64 * 1024;
const [FIRST_CHUNK, LAST_CHUNK] = [8 * 1024, 256 * 1024];

export interface SeekOptions extends CallOptions {
  /** The range of a nested archive in the file: its first byte, and the one after its last. */
  readonly from?: number;
  readonly to?: number;
}

/** Errors: TAR_INVALID, also if the file ends before the archive does. */
export async function* seekEntries(
  handle: FileHandle,
  { signal, from = 0, to }: SeekOptions = {},
): AsyncGenerator<SoughtEntry> {
  const size = to ?? (await handle.stat()).size;
  let offset = from;
  while (offset < size) {
    let next = size;
    for await (const entry of readTar(chunks(handle, offset, size))) {
      signal?.throwIfAborted();
      const { body, end } = entry.position;
      const at = offset + body;
      if (at + entry.size > size && !entry.sparse) {
        throw new ImagesError('TAR_INVALID', `the archive breaks off in ${printableName(entry.name)}`);
      }
      yield { ...onlyHeader(entry), at };
      if (end - body >= FAR) {
        next = offset + end;
        break;
      }
    }
    offset = next;
  }
}

/** Reads from `offset` on. The first chunk is small, because usually one header is wanted. */
async function* chunks(handle: FileHandle, offset: number, size: number): AsyncGenerator<Uint8Array> {
  for (let at = offset, length = FIRST_CHUNK; at < size; length = Math.min(length * 2, LAST_CHUNK)) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(Math.min(length, size - at)), { position: at });
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
