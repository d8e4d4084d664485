// Where a long stream goes whose last part may have to be taken back: a file, which is there whole or not at all, or a pipe. What goes to a pipe is held until
// it is final: in memory, and beyond that in a temporary file.
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type FileWriter, fileWriter } from './file-writer.ts';
import { translatingFsErrors } from './fs-errors.ts';
import { temporaryFile } from './temporary-file.ts';

/** Disposing without `finish` discards what can be discarded. */
export interface RewindableOutput extends AsyncDisposable {
  /** Resolves when more can be taken. Chunks must not change afterwards. */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /** Writes a range of a file. */
  copy(source: FileHandle, from: number, to: number): Promise<void>;
  /** All that was written is final. */
  mark(): Promise<void>;
  /** Takes back all that was written since the last mark. */
  rewind(): Promise<void>;
  /** Marks, and closes: a file has its name now. */
  finish(): Promise<void>;
}

/** In bytes: what is read of a temporary file at a time, and sent. */
const PORTION = 1 << 20;
/** What is copied at once: as much as a writer gathers. Seen: with 4 MiB, a page cache takes ten times as long. */
const COPIED = 1 << 20;
/** What is held in memory for a pipe. */
const IN_MEMORY = 8 << 20;

/** Errors: NO_SPACE, READ_ONLY, NO_ACCESS; ENOENT where the directory is not there. */
export async function fileOutput(path: string): Promise<RewindableOutput> {
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}`);
  const handle = await translatingFsErrors(path, () => open(temporary, 'wx'));
  const writer = fileWriter(handle, 0);
  let final = 0;
  let isDone = false;
  const mark = async (): Promise<void> => {
    await writer.flush();
    final = writer.size;
  };
  return {
    write: (chunks) => translatingFsErrors(path, () => appendAll(writer, chunks)),
    copy: (source, from, to) => translatingFsErrors(path, () => appendCopy(writer, source, from, to)),
    mark: () => translatingFsErrors(path, mark),
    rewind: () => translatingFsErrors(path, () => cutBack(writer, final)),
    finish: () =>
      translatingFsErrors(path, async () => {
        await mark();
        await handle.close();
        await rename(temporary, path);
        isDone = true;
      }),
    async [Symbol.asyncDispose]() {
      if (isDone) return;
      await writer.abandon();
      await handle.close().catch(() => {});
      await rm(temporary, { force: true });
    },
  };
}

/** `send` resolves when it takes more; what is held in a file is held in `directory`. Errors: those of `send`; NO_SPACE and others of the directory. */
export function pipeOutput(send: (bytes: Uint8Array) => Promise<void>, directory: string): RewindableOutput {
  let held: Uint8Array[] = [];
  let size = 0;
  let spill: { readonly handle: FileHandle; readonly writer: FileWriter } | undefined;

  const spillTo = async (): Promise<FileWriter> => {
    const handle = await temporaryFile(directory);
    spill = { handle, writer: fileWriter(handle, 0) };
    return spill.writer;
  };
  const mark = async (): Promise<void> => {
    if (spill) {
      await spill.writer.flush();
      for (let at = 0; at < spill.writer.size; ) {
        const buffer = Buffer.allocUnsafeSlow(PORTION);
        const { bytesRead } = await spill.handle.read(buffer, 0, PORTION, at);
        await send(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
      await cutBack(spill.writer, 0);
    }
    if (held.length > 0) await send(held.length === 1 ? (held[0] as Uint8Array) : Buffer.concat(held));
    [held, size] = [[], 0];
  };
  const write = async (chunks: readonly Uint8Array[]): Promise<void> => {
    for (const chunk of chunks) size += chunk.length;
    if (size <= IN_MEMORY) {
      held.push(...chunks);
      return;
    }
    await translatingFsErrors(directory, async () => {
      const writer = spill?.writer ?? (await spillTo());
      await appendAll(writer, held);
      held = [];
      await appendAll(writer, chunks);
    });
  };
  return {
    write,
    async copy(source, from, to) {
      for (let at = from; at < to; ) {
        const buffer = Buffer.allocUnsafeSlow(Math.min(PORTION, to - at));
        const length = await readSome(source, buffer, at);
        await write([buffer.subarray(0, length)]);
        at += length;
      }
    },
    mark,
    async rewind() {
      [held, size] = [[], 0];
      if (spill) await cutBack(spill.writer, 0);
    },
    finish: mark,
    async [Symbol.asyncDispose]() {
      await spill?.writer.abandon();
      await spill?.handle.close();
      spill = undefined;
    },
  };
}

async function appendAll(writer: FileWriter, chunks: readonly Uint8Array[]): Promise<void> {
  for (const chunk of chunks) await writer.append(chunk);
}

/** Through the same memory again and again: new memory costs as much as the copying. */
async function appendCopy(writer: FileWriter, source: FileHandle, from: number, to: number): Promise<void> {
  const buffers = [Buffer.allocUnsafeSlow(COPIED), Buffer.allocUnsafeSlow(COPIED)];
  for (let at = from, turn = 0; at < to; turn++) {
    const buffer = buffers[turn % 2] as Buffer;
    const length = await readSome(source, buffer.subarray(0, to - at), at);
    // As it is large, its write has begun now, and that of the other buffer is over; where little was read it is waited for.
    await writer.append(buffer.subarray(0, length));
    if (length < COPIED) await writer.flush();
    at += length;
  }
}

/** What is still in memory is never written. */
async function cutBack(writer: FileWriter, size: number): Promise<void> {
  await writer.abandon();
  await writer.truncate(size);
}

async function readSome(source: FileHandle, buffer: Uint8Array, position: number): Promise<number> {
  const { bytesRead } = await source.read(buffer, 0, buffer.length, position);
  if (bytesRead === 0) throw new Error(`file ended early, at byte ${position}`);
  return bytesRead;
}
