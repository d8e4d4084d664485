// Stores bytes that are read more than once and may exceed memory, in an unlinked temporary file: nothing is left over, however this process ends.
import { mkdir } from 'node:fs/promises';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { temporaryFile } from '../../io/files/temporary-file.ts';
import type { Bytes } from '../../io/streams/bytes.ts';

export interface Spool extends AsyncDisposable {
  /** Descriptor of the open file: a child process may write to it. */
  readonly fd: number;
  append(chunk: Uint8Array): Promise<void>;
  size(): Promise<number>;
  /** Reads the file from its start to its current end. With `isOver`, reads on until that promise settles. */
  read(options?: SpoolReadOptions): Bytes;
}

export interface SpoolReadOptions {
  readonly isOver?: Promise<unknown> | undefined;
  /** Reuses buffers: a chunk is valid only until the next but one is requested. For readers that keep nothing (allocating new memory costs more than reading into it). */
  readonly passing?: boolean;
}

const CHUNK = 1 << 20;
/** Buffers in use with `passing`: one is being processed, the one before may be in part, and the next one is being filled. */
const UNDER_WAY = 3;
/** Poll interval in milliseconds for a file that another process writes. */
const PATIENCE = 2;

/** A temporary file in `directory`, which is created if it is missing. Errors: NO_ACCESS, NO_SPACE, READ_ONLY. */
export async function createSpool(directory: string): Promise<Spool> {
  await translatingFsErrors(directory, () => mkdir(directory, { recursive: true, mode: 0o700 }));
  const handle = await temporaryFile(directory);
  const size = async () => (await handle.stat()).size;

  async function* read({ isOver, passing = false }: SpoolReadOptions = {}): AsyncGenerator<Uint8Array> {
    let over = isOver === undefined;
    isOver?.then(
      () => {
        over = true;
      },
      () => {
        over = true;
      },
    );
    let at = 0;
    const memory: Buffer[] = [];
    const readNext = async () => {
      const isLast = over;
      const chunk = (memory.length === UNDER_WAY ? memory.shift() : undefined) ?? Buffer.allocUnsafeSlow(CHUNK);
      if (passing) memory.push(chunk);
      const { buffer, bytesRead } = await handle.read(chunk, 0, CHUNK, at);
      return { piece: buffer.subarray(0, bytesRead), isEnd: isLast && bytesRead === 0 };
    };
    let reading = readNext();
    try {
      for (;;) {
        const { piece, isEnd } = await reading;
        if (isEnd) return;
        at += piece.length;
        if (piece.length === 0) await new Promise((resolve) => setTimeout(resolve, PATIENCE));
        // Read ahead while the caller processes this chunk.
        reading = readNext();
        // The next iteration awaits it and throws its error; until then it must not count as an unhandled rejection.
        reading.catch(() => {});
        if (piece.length > 0) yield piece;
      }
    } finally {
      // The caller may close the file next.
      await reading.catch(() => {});
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
