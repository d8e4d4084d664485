// Gathers chunks into large writes. One write runs while the next is gathered.
import { writevSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** In bytes. Sockets deliver 64 KiB or less; a system call and a thread pool job for each would cost more than copying. */
const GATHER = 1024 * 1024;
/** In bytes: once all writers of the process together have gathered so much, each writes less at a time. */
const GATHERED_BY_ALL = 16 * 1024 * 1024;
const LEAST = 128 * 1024;
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

export interface FileWriterOptions {
  /** How so many bytes may be written now without the thread pool; `undefined` if they may not. */
  readonly atOnce?: (bytes: number) => ((call: () => number) => number) | undefined;
}

/** Writes to `handle` from byte `from` on. Chunks are kept and not copied, so they must not change. */
export function fileWriter(handle: FileHandle, from: number, { atOnce }: FileWriterOptions = {}): FileWriter {
  const writeSome: WriteSome = async (chunks, position) => {
    const run = atOnce?.(chunks.reduce((sum, { length }) => sum + length, 0));
    if (run) return run(() => writevSync(handle.fd, [...chunks], position));
    return (await handle.writev([...chunks], position)).bytesWritten;
  };
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

/** In bytes: what all writers have in memory, and do not write yet. */
let gatheredByAll = 0;

/** Writers that somebody has forgotten, after an error elsewhere: what they had gathered is gone. */
const forgottenWriters = new FinalizationRegistry<{ readonly bytes: number }>(({ bytes }) => {
  gatheredByAll -= bytes;
});

/** The same for any destination, for instance a pipe, which has no positions. */
export function gatheringWriter(writeSome: WriteSome, from = 0): GatheringWriter {
  let written = from;
  let size = from;
  let gathered: Uint8Array[] = [];
  const own = { bytes: 0 };
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
      taken();
    }
  }

  function taken(): Uint8Array[] {
    const chunks = gathered;
    gatheredByAll -= own.bytes;
    gathered = [];
    own.bytes = 0;
    return chunks;
  }

  const isEnough = () => own.bytes >= GATHER || (own.bytes >= LEAST && gatheredByAll > GATHERED_BY_ALL);

  async function startWrite(): Promise<void> {
    await running;
    if (failure) throw failure.error;
    running = write(taken());
  }

  const writer: GatheringWriter = {
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
      own.bytes += chunk.length;
      gatheredByAll += chunk.length;
      size += chunk.length;
      if (isEnough() || Date.now() - gatheredSince > LONGEST_HELD_MS) await startWrite();
    },
    flush: async () => {
      if (gathered.length > 0) await startWrite();
      await running;
      if (failure) throw failure.error;
    },
    abandon: async () => {
      taken();
      await running;
    },
  };
  forgottenWriters.register(writer, own);
  return writer;
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
