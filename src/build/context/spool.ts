// Bytes that are read more than once and may be larger than memory: a file without a name, so that nothing stays of it, however this process ends.
import { mkdir } from 'node:fs/promises';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { temporaryFile } from '../../io/files/temporary-file.ts';
import type { Bytes } from '../../io/streams/bytes.ts';

export interface Spool extends AsyncDisposable {
  /** Of the open file: a child process may write to it. */
  readonly fd: number;
  append(chunk: Uint8Array): Promise<void>;
  size(): Promise<number>;
  /** What is there, from the start; with `isOver`, what comes until then too. */
  read(options?: SpoolReadOptions): Bytes;
}

export interface SpoolReadOptions {
  readonly isOver?: Promise<unknown> | undefined;
  /** A piece is good until the next but one is asked for: for who only looks at them (memory that is new to a process costs more than what is read into it). */
  readonly passing?: boolean;
}

const CHUNK = 1 << 20;
/** A piece is being worked on, parts of the one before may be, and the next one comes in. */
const UNDER_WAY = 3;
/** Milliseconds between two looks at a file that another process writes. */
const PATIENCE = 2;

/** A file in `directory`, which is made. Errors: NO_ACCESS, NO_SPACE, READ_ONLY. */
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
      const place = (memory.length === UNDER_WAY ? memory.shift() : undefined) ?? Buffer.allocUnsafeSlow(CHUNK);
      if (passing) memory.push(place);
      const { buffer, bytesRead } = await handle.read(place, 0, CHUNK, at);
      return { piece: buffer.subarray(0, bytesRead), isEnd: isLast && bytesRead === 0 };
    };
    let reading = readNext();
    try {
      for (;;) {
        const { piece, isEnd } = await reading;
        if (isEnd) return;
        at += piece.length;
        if (piece.length === 0) await new Promise((resolve) => setTimeout(resolve, PATIENCE));
        // While this piece is worked on, the next one comes in.
        reading = readNext();
        // Who asks for it is told; until then it must not count as unhandled.
        reading.catch(() => {});
        if (piece.length > 0) yield piece;
      }
    } finally {
      // The file may be closed next.
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
