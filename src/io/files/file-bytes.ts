// A file, or a range of it, as a stream of large chunks. One chunk is read ahead.
import type { FileHandle } from 'node:fs/promises';
import type { FillingBytes } from '../streams/bytes.ts';

export interface FileRange {
  readonly from?: number;
  /** The byte after the last one. */
  readonly to?: number;
  /** Closes the handle at the end, and also when the stream is closed early or was never read. */
  readonly close?: boolean;
}

/**
 * Of streams that nobody read or closed. A FileHandle that the garbage collector finds open ends the program (ERR_INVALID_STATE, as uncaught exception), so one
 * request that was left at the wrong moment would end the server. Forgetting a stream is wrong, because the file stays open until then, but no more than that.
 */
const forgotten = new FinalizationRegistry<FileHandle>((handle) => void handle.close().catch(() => {}));

/** In bytes. Large enough that system calls do not matter, small enough for a hundred readers at once. */
const CHUNK = 256 * 1024;

/** Reads the range. Each chunk has memory of its own, because a socket may hold it long after the next one was requested. Errors: EISDIR for a directory. */
export async function readFileBytes(handle: FileHandle, options: FileRange): Promise<FillingBytes> {
  const size = await sizeOf(handle).catch(async (error: unknown) => {
    if (options.close) await handle.close();
    throw error;
  });
  const end = Math.min(options.to ?? size, size);
  let position = options.from ?? 0;
  let ahead: Promise<Uint8Array> | undefined;
  let ended = false;

  function readNext(): Promise<Uint8Array> {
    const at = position;
    position += Math.min(CHUNK, end - at);
    const reading = readFully(handle, at, position - at);
    // The error is thrown when the chunk is awaited. A consumer that has left does not need it.
    reading.catch(() => {});
    return reading;
  }

  async function finish(): Promise<IteratorResult<Uint8Array>> {
    if (!ended) {
      ended = true;
      forgotten.unregister(iterator);
      await ahead?.catch(() => {});
      if (options.close) await handle.close();
    }
    return { done: true, value: undefined };
  }

  const iterator: AsyncIterableIterator<Uint8Array> & FillingBytes = {
    fill: async (buffer) => {
      const length = ended ? 0 : Math.min(buffer.length, end - position);
      if (length > 0) await readInto(handle, position, buffer.subarray(0, length));
      position += length;
      return length;
    },
    [Symbol.asyncIterator]: () => iterator,
    next: async () => {
      if (ended || (ahead === undefined && position >= end)) return finish();
      const current = ahead ?? readNext();
      ahead = position < end ? readNext() : undefined;
      try {
        return { done: false, value: await current };
      } catch (error) {
        await finish();
        throw error;
      }
    },
    return: finish,
  };
  if (options.close) forgotten.register(iterator, handle, iterator);
  return iterator;
}

async function sizeOf(handle: FileHandle): Promise<number> {
  const info = await handle.stat();
  if (!info.isFile()) throw Object.assign(new Error('not a file'), { code: 'EISDIR' });
  return info.size;
}

async function readFully(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(length);
  await readInto(handle, position, buffer);
  return buffer;
}

/** Fills the buffer from this position on. Fails if the file ends before. */
export async function readInto(handle: FileHandle, position: number, buffer: Uint8Array): Promise<void> {
  for (let filled = 0; filled < buffer.length; ) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) throw new Error(`file ended early, at byte ${position + filled}`);
    filled += bytesRead;
  }
}
