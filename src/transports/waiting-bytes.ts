// Bytes that are held until they are complete: in memory, and when that is not enough, in a temporary file.
import type { FileHandle } from 'node:fs/promises';
import { readFileBytes } from '../io/files/file-bytes.ts';
import { type FileWriter, fileWriter } from '../io/files/file-writer.ts';
import { temporaryFile, translatingTemporaryErrors } from '../io/files/temporary-file.ts';

/** In bytes: of what is held in memory. Enough for the tar-split of a hundred thousand files. */
const IN_MEMORY = 16 << 20;

export interface WaitingBytes extends AsyncDisposable {
  add(chunk: Uint8Array): void;
  /** Resolves when everything that exceeds the memory limit is written to disk. */
  settled(): Promise<void>;
  size(): Promise<number>;
  bytes(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** A tar header needs the size of the file first, so what is made or comes meanwhile is held until it is complete. `directory` is for what does not fit into memory. */
export function waitingBytes(directory: string): WaitingBytes {
  let chunks: Uint8Array[] = [];
  let length = 0;
  let total = 0;
  let spill: { readonly handle: FileHandle; readonly writer: FileWriter } | undefined;
  const settled = async (): Promise<void> => {
    if (length < IN_MEMORY) return;
    if (!spill) {
      const handle = await temporaryFile(directory);
      spill = { handle, writer: fileWriter(handle, 0) };
    }
    const out = chunks;
    [chunks, length] = [[], 0];
    await append(spill.writer, out);
  };
  const append = (writer: FileWriter, bytes: readonly Uint8Array[], last = false): Promise<void> =>
    translatingTemporaryErrors(directory, async () => {
      for (const chunk of bytes) await writer.append(chunk);
      if (last) await writer.flush();
    });
  return {
    add(chunk) {
      chunks.push(chunk);
      length += chunk.length;
      total += chunk.length;
    },
    settled,
    async size() {
      if (spill) await append(spill.writer, chunks, true);
      return total;
    },
    async *bytes() {
      if (spill) yield* await readFileBytes(spill.handle, { to: total });
      else yield* chunks;
    },
    async [Symbol.asyncDispose]() {
      await spill?.handle.close();
    },
  };
}
