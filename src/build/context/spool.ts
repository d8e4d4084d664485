// Bytes that are read more than once and may be larger than memory: a file without a name, so that nothing stays of it, however this process ends.
import { mkdir } from 'node:fs/promises';
import { translatingFsErrors } from '../../io/fs-errors.ts';
import { temporaryFile } from '../../io/temporary-file.ts';
import type { Bytes } from '../../registry/contract.ts';

export interface Spool extends AsyncDisposable {
  /** Of the open file: a child process may write to it. */
  readonly fd: number;
  append(chunk: Uint8Array): Promise<void>;
  size(): Promise<number>;
  /** What is there, from the start; with `isOver`, what comes until then too. */
  read(isOver?: Promise<unknown>): Bytes;
}

const CHUNK = 1 << 20;
/** Milliseconds between two looks at a file that another process writes. */
const PATIENCE = 2;

/** A file in `directory`, which is made. Errors: NO_ACCESS, NO_SPACE, READ_ONLY. */
export async function createSpool(directory: string): Promise<Spool> {
  await translatingFsErrors(directory, () => mkdir(directory, { recursive: true, mode: 0o700 }));
  const handle = await temporaryFile(directory);
  const size = async () => (await handle.stat()).size;

  async function* read(isOver?: Promise<unknown>): AsyncGenerator<Uint8Array> {
    let over = isOver === undefined;
    isOver?.then(
      () => {
        over = true;
      },
      () => {
        over = true;
      },
    );
    for (let at = 0; ; ) {
      const wasOver = over;
      const buffer = Buffer.allocUnsafeSlow(CHUNK);
      const { bytesRead } = await handle.read(buffer, 0, CHUNK, at);
      at += bytesRead;
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
      else if (wasOver) return;
      else await new Promise((resolve) => setTimeout(resolve, PATIENCE));
    }
  }

  return {
    fd: handle.fd,
    size,
    read,
    append: (chunk) => translatingFsErrors(directory, () => handle.appendFile(chunk)),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}
