// An output whose last part can be taken back: a file, written atomically, or a pipe. For a pipe, data is held back until it is final: in memory, and when
// that is not enough, in a temporary file.
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { addAll } from '../../oci/add-all.ts';
import { isFsError, translatingFsErrors } from './fs-errors.ts';
import { behindLinks } from './special-file.ts';
import { temporaryFile, translatingTemporaryErrors } from './temporary-file.ts';
import { unfinishedPath } from './unfinished-file.ts';

/** Disposed without `finish`, it discards what can still be discarded. */
export interface RewindableOutput extends AsyncDisposable {
  /** Resolves when it can take more. The chunks must not change afterwards. */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /** Writes a range of another file. */
  copy(source: FileHandle, from: number, to: number): Promise<void>;
  /** Makes everything written so far final. */
  mark(): Promise<void>;
  /** Takes back everything written since the last `mark`. */
  rewind(): Promise<void>;
  /** Marks and closes. Only now the file appears under its name. */
  finish(): Promise<void>;
}

/** In bytes. */
const BATCH = 1 << 20;
/** Chunks in one system call. The limit is 1024 (IOV_MAX). */
const MOST_CHUNKS = 512;
/** In bytes. How much is copied at once. Measured: with 4 MiB the page cache takes ten times as long. */
const COPIED = 1 << 20;
/** In bytes. How much is held in memory for a pipe. */
const IN_MEMORY = 8 << 20;

/** Errors: NO_SPACE, READ_ONLY, NO_ACCESS; ENOENT if the directory does not exist. */
export async function fileOutput(path: string): Promise<RewindableOutput> {
  const file = await behindLinks(path);
  const temporary = await unfinishedPath(file);
  const handle = await translatingFsErrors(path, () => open(temporary, 'wx')).catch((error: unknown) => {
    // The error names the temporary file, the user knows only `path`.
    if (isFsError(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) error.path = path;
    throw error;
  });
  const writer = batchWriter(handle);
  let final = 0;
  let isDone = false;
  const mark = async (): Promise<void> => {
    await writer.flush();
    final = writer.position;
  };
  return {
    write: (chunks) => translatingFsErrors(path, () => writer.write(chunks)),
    copy: (source, from, to) => translatingFsErrors(path, () => writer.copy(source, from, to)),
    mark: () => translatingFsErrors(path, mark),
    rewind: () => translatingFsErrors(path, () => writer.rewind(final)),
    finish: () =>
      translatingFsErrors(path, async () => {
        await mark();
        await handle.close();
        await rename(temporary, file);
        isDone = true;
      }),
    async [Symbol.asyncDispose]() {
      if (isDone) return;
      await writer.flush().catch(() => {});
      await handle.close().catch(() => {});
      await rm(temporary, { force: true });
    },
  };
}

/** `send` resolves when it can take more; `directory` is for the temporary file. Errors: those of `send`; NO_SPACE and others of the directory. */
export function pipeOutput(send: (bytes: Uint8Array) => Promise<void>, directory: string): RewindableOutput {
  let held: Uint8Array[] = [];
  let size = 0;
  let spill: { readonly handle: FileHandle; readonly writer: BatchWriter } | undefined;

  const spillTo = async (): Promise<BatchWriter> => {
    const handle = await temporaryFile(directory);
    spill = { handle, writer: batchWriter(handle) };
    return spill.writer;
  };
  const mark = async (): Promise<void> => {
    const spilled = spill;
    if (spilled) {
      await translatingTemporaryErrors(directory, () => spilled.writer.flush());
      for (let at = 0; at < spilled.writer.position; ) {
        const buffer = Buffer.allocUnsafeSlow(BATCH);
        const { bytesRead } = await spilled.handle.read(buffer, 0, BATCH, at);
        await send(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
      await spilled.writer.rewind(0);
    }
    if (held.length > 0) await send(held.length === 1 ? (held[0] as Uint8Array) : Buffer.concat(held));
    [held, size] = [[], 0];
  };
  const write = async (chunks: readonly Uint8Array[]): Promise<void> => {
    for (const chunk of chunks) size += chunk.length;
    if (size <= IN_MEMORY) {
      addAll(held, chunks);
      return;
    }
    await translatingTemporaryErrors(directory, async () => {
      const writer = spill?.writer ?? (await spillTo());
      if (held.length > 0) await writer.write(held);
      held = [];
      await writer.write(chunks);
    });
  };
  return {
    write,
    async copy(source, from, to) {
      for (let at = from; at < to; ) {
        const buffer = Buffer.allocUnsafeSlow(Math.min(BATCH, to - at));
        const length = await readSome(source, buffer, at);
        await write([buffer.subarray(0, length)]);
        at += length;
      }
    },
    mark,
    async rewind() {
      [held, size] = [[], 0];
      await spill?.writer.rewind(0);
    },
    finish: mark,
    async [Symbol.asyncDispose]() {
      await spill?.writer.flush().catch(() => {});
      await spill?.handle.close();
      spill = undefined;
    },
  };
}

interface BatchWriter {
  readonly position: number;
  write(chunks: readonly Uint8Array[]): Promise<void>;
  copy(source: FileHandle, from: number, to: number): Promise<void>;
  flush(): Promise<void>;
  rewind(position: number): Promise<void>;
}

/** Writes one batch while the next is gathered. file-writer.ts is not used: its promise for each of so many small chunks takes twice the system time. */
function batchWriter(handle: FileHandle): BatchWriter {
  let batch: Uint8Array[] = [];
  let size = 0;
  let position = 0;
  let writing: Promise<void> = Promise.resolve();
  const send = async (): Promise<void> => {
    await writing;
    const chunks = batch;
    const at = position;
    position += size;
    [batch, size] = [[], 0];
    writing = writeAll(handle, chunks, at);
    writing.catch(() => {});
  };
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await send();
    await writing;
  };
  return {
    get position() {
      return position;
    },
    async write(chunks) {
      for (const chunk of chunks) {
        if (chunk.length === 0) continue;
        batch.push(chunk);
        size += chunk.length;
        if (size >= BATCH || batch.length >= MOST_CHUNKS) await send();
      }
    },
    // Reuses the same buffer: fresh memory costs as much as the copying itself.
    async copy(source, from, to) {
      await flush();
      const buffers = [Buffer.allocUnsafeSlow(COPIED), Buffer.allocUnsafeSlow(COPIED)];
      for (let at = from, turn = 0; at < to; turn++) {
        const buffer = buffers[turn % 2] as Buffer;
        const length = await readSome(source, buffer.subarray(0, to - at), at);
        await writing;
        writing = writeAll(handle, [buffer.subarray(0, length)], position);
        writing.catch(() => {});
        position += length;
        at += length;
      }
      await writing;
    },
    flush,
    async rewind(to) {
      [batch, size] = [[], 0];
      await writing;
      await handle.truncate(to);
      position = to;
    },
  };
}

async function readSome(source: FileHandle, buffer: Uint8Array, position: number): Promise<number> {
  const { bytesRead } = await source.read(buffer, 0, buffer.length, position);
  if (bytesRead === 0) throw new Error(`file ended early, at byte ${position}`);
  return bytesRead;
}

async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[], position: number): Promise<void> {
  const { bytesWritten } = await handle.writev(chunks, position);
  let at = position;
  let skip = bytesWritten;
  for (const chunk of chunks) {
    // Only a full disk or a signal cuts a write short; writing the rest then reports the cause.
    for (let from = Math.min(skip, chunk.length); from < chunk.length; ) {
      from += (await handle.write(chunk, from, chunk.length - from, at + from)).bytesWritten;
    }
    skip -= Math.min(skip, chunk.length);
    at += chunk.length;
  }
}
