// Much data to stdout: several chunks in one call, written by another thread while the next ones are made.
import { translateFsError } from '../io/fs-errors.ts';
import { createBufferCollector } from './much-data.ts';

const STDOUT = 1;
/** In bytes; a pipe takes less at a time, a file is written in fewer calls. */
const BATCH = 1 << 20;
/** Chunks that one call takes at the most (IOV_MAX is 1024). */
const MOST_CHUNKS = 512;
/** In milliseconds: how long to wait for room in a pipe that somebody has made non-blocking. */
const WAIT = 5;

/** Errors: EPIPE as it is, when the reader has gone; NO_SPACE and others of the file system. */
export async function streamOut(data: AsyncIterable<Uint8Array>): Promise<void> {
  const { writev } = await import('node:fs');
  let writing: Promise<void> = Promise.resolve();
  let batch: Uint8Array[] = [];
  let size = 0;
  const collect = createBufferCollector();
  const send = async (): Promise<void> => {
    collect(size);
    const chunks = batch;
    [batch, size] = [[], 0];
    await writing;
    writing = writeAll(writev, chunks);
    // Met when the next batch is ready, or at the end.
    writing.catch(() => {});
  };
  for await (const chunk of data) {
    batch.push(chunk);
    size += chunk.length;
    if (size >= BATCH || batch.length >= MOST_CHUNKS) await send();
  }
  if (batch.length > 0) await send();
  await writing;
}

type Writev = typeof import('node:fs').writev;

async function writeAll(writev: Writev, chunks: readonly Uint8Array[]): Promise<void> {
  let rest = chunks.filter((chunk) => chunk.length > 0);
  while (rest.length > 0) {
    let written = await writeSome(writev, rest);
    rest = rest.flatMap((chunk) => {
      const taken = Math.min(written, chunk.length);
      written -= taken;
      return taken === chunk.length ? [] : [chunk.subarray(taken)];
    });
  }
}

/** Bytes written; 0 where there was no room. */
function writeSome(writev: Writev, chunks: readonly Uint8Array[]): Promise<number> {
  return new Promise((resolve, reject) => {
    writev(STDOUT, chunks, (error, written) => {
      if (!error) return resolve(written);
      if (error.code === 'EAGAIN') return void setTimeout(() => resolve(0), WAIT);
      reject(translateFsError(error, 'standard output'));
    });
  });
}
