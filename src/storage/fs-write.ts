// Appends to a file: chunks are gathered into large writes, and one write runs while the next is gathered.
import type { FileHandle } from 'node:fs/promises';

/** Sockets deliver 64 KiB or less; a system call and a trip to the thread pool for each would cost more than the copy. */
const GATHER = 1024 * 1024;
/** A slow source's bytes reach the disk all the same: what is in memory is lost to kill -9. */
const LONGEST_HELD_MS = 1000;

export interface FileWriter {
  /** In bytes, with what is still in memory; after a failure, what was really written. */
  readonly size: number;
  append(chunk: Uint8Array): Promise<void>;
  flush(): Promise<void>;
  truncate(size: number): Promise<void>;
  /** Waits for the write that runs and drops what is in memory. */
  abandon(): Promise<void>;
}

/** Writes to `handle` from byte `from` on. Chunks are held, not copied. */
export function fileWriter(handle: FileHandle, from: number): FileWriter {
  let written = from;
  let size = from;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let gatheredSince = 0;
  let running: Promise<void> = Promise.resolve();
  let failure: { readonly error: unknown } | undefined;

  async function write(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      for (let rest = chunks; rest.length > 0; ) {
        const { bytesWritten } = await handle.writev([...rest], written);
        written += bytesWritten;
        rest = without(rest, bytesWritten);
      }
    } catch (error) {
      failure = { error };
      size = written;
      gathered = [];
      gatheredBytes = 0;
    }
  }

  async function startWrite(): Promise<void> {
    await running;
    if (failure) throw failure.error;
    const chunks = gathered;
    gathered = [];
    gatheredBytes = 0;
    running = write(chunks);
  }

  async function flush(): Promise<void> {
    if (gathered.length > 0) await startWrite();
    await running;
    if (failure) throw failure.error;
  }

  return {
    get size() {
      return size;
    },
    append: async (chunk) => {
      if (failure) throw failure.error;
      if (chunk.length === 0) return;
      if (gathered.length === 0) gatheredSince = Date.now();
      gathered.push(chunk);
      gatheredBytes += chunk.length;
      size += chunk.length;
      if (gatheredBytes >= GATHER || Date.now() - gatheredSince > LONGEST_HELD_MS) await startWrite();
    },
    flush,
    truncate: async (to) => {
      await flush();
      await handle.truncate(to);
      written = to;
      size = to;
    },
    abandon: async () => {
      gathered = [];
      await running;
    },
  };
}

/** The chunks that remain after `count` bytes of them are written. */
function without(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  for (const [index, chunk] of chunks.entries()) {
    if (left < chunk.length) return [chunk.subarray(left), ...chunks.slice(index + 1)];
    left -= chunk.length;
  }
  return [];
}
