// Streams much data to stdout: several chunks in one call, written by another thread while the next ones are made.
import { gatheringWriter, type WriteSome } from '../../io/files/file-writer.ts';
import { translateFsError } from '../../io/files/fs-errors.ts';
import { createBufferCollector } from '../process/much-data.ts';

const STDOUT = 1;
/** In milliseconds: the delay before the next attempt if stdout is a full pipe that somebody has made non-blocking. */
const WAIT = 5;

/** Errors: EPIPE, unchanged, if the reader has gone; NO_SPACE and others of the file system. */
export async function streamOut(data: AsyncIterable<Uint8Array>): Promise<void> {
  const writer = gatheringWriter(await stdoutWriter());
  const collect = createBufferCollector();
  for await (const chunk of data) {
    await writer.append(chunk);
    collect(chunk.length);
  }
  await writer.flush();
}

async function stdoutWriter(): Promise<WriteSome> {
  const { writev } = await import('node:fs');
  return (chunks) =>
    new Promise((resolve, reject) => {
      writev(STDOUT, chunks, (error, written) => {
        if (!error) return resolve(written);
        if (error.code === 'EAGAIN') return void setTimeout(() => resolve(0), WAIT);
        reject(translateFsError(error, 'standard output'));
      });
    });
}
