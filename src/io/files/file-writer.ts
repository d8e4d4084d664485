// Gathers chunks into large writes. One write runs while the next is gathered.
import type { FileHandle } from 'node:fs/promises';

/** In bytes. Sockets deliver 64 KiB or less; a system call and a thread pool job for each would cost more than copying. */
const GATHER = 1024 * 1024;
/** Milliseconds. Bytes of a slow source are written after this time at the latest, because what is in memory is lost on kill -9. */
const LONGEST_HELD_MS = 1000;

export interface GatheringWriter {
  /** In bytes, including what is still in memory; after a failure, the bytes that were really written. */
  readonly size: number;
  /** The part of `size` that has been handed to the system. */
  readonly written: number;
  /** Errors: those of this write and of earlier ones. */
  append(chunk: Uint8Array): Promise<void>;
  flush(): Promise<void>;
  /** Waits for the running write and drops the bytes in memory. */
  abandon(): Promise<void>;
}

export interface FileWriter extends GatheringWriter {
  truncate(size: number): Promise<void>;
}

/** Writes as many of the chunks' first bytes as there is room for; returns their number. */
export type WriteSome = (chunks: readonly Uint8Array[], position: number) => Promise<number>;

/** Writes to `handle` from byte `from` on. Chunks are kept and not copied, so they must not change. */
export function fileWriter(handle: FileHandle, from: number): FileWriter {
  const writeSome: WriteSome = async (chunks, position) => (await handle.writev([...chunks], position)).bytesWritten;
  let writer = gatheringWriter(writeSome, from);
  return {
    get size() {
      return writer.size;
    },
    get written() {
      return writer.written;
    },
    append: (chunk) => writer.append(chunk),
    flush: () => writer.flush(),
    truncate: async (to) => {
      await writer.flush();
      await handle.truncate(to);
      writer = gatheringWriter(writeSome, to);
    },
    abandon: () => writer.abandon(),
  };
}

/** The same for any destination, for instance a pipe, which has no positions. */
export function gatheringWriter(writeSome: WriteSome, from = 0): GatheringWriter {
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
        const count = await writeSome(rest, written);
        written += count;
        rest = without(rest, count);
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

  return {
    get size() {
      return size;
    },
    get written() {
      return written;
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
    flush: async () => {
      if (gathered.length > 0) await startWrite();
      await running;
      if (failure) throw failure.error;
    },
    abandon: async () => {
      gathered = [];
      gatheredBytes = 0;
      await running;
    },
  };
}

/** What is left of the chunks after their first `count` bytes. */
function without(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  for (const [index, chunk] of chunks.entries()) {
    if (left < chunk.length) return [chunk.subarray(left), ...chunks.slice(index + 1)];
    left -= chunk.length;
  }
  return [];
}
