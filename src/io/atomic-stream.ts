// A stream into a file that is there whole or not at all. Relies on rename being atomic.
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isFsError, translatingFsErrors } from './fs-errors.ts';

/** In bytes. */
const BATCH = 1 << 20;
const MOST_CHUNKS = 512;

/**
 * Writes beside `path`, then renames; a failure leaves what was there. What is no regular file (a device, a pipe) is written to as it is.
 * Errors: the data's; NO_SPACE, READ_ONLY, NO_ACCESS; ENOENT where the directory is not there.
 */
export async function writeStreamAtomically(path: string, data: AsyncIterable<Uint8Array>): Promise<void> {
  await translatingFsErrors(path, async () => {
    if (await isSpecial(path)) return await write(path, 'w', data);
    const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}`);
    try {
      await write(temporary, 'wx', data);
      await rename(temporary, path);
    } catch (error) {
      // The user named another.
      if (isFsError(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) error.path = path;
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

async function write(path: string, flags: 'w' | 'wx', data: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(path, flags);
  try {
    let batch: Uint8Array[] = [];
    let size = 0;
    let writing: Promise<unknown> = Promise.resolve();
    // One batch is written while the next one is made.
    const send = async (): Promise<void> => {
      await writing;
      writing = writeAll(handle, batch);
      writing.catch(() => {});
      [batch, size] = [[], 0];
    };
    for await (const chunk of data) {
      batch.push(chunk);
      size += chunk.length;
      if (size >= BATCH || batch.length >= MOST_CHUNKS) await send();
    }
    if (batch.length > 0) await send();
    await writing;
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: Awaited<ReturnType<typeof open>>, chunks: readonly Uint8Array[]): Promise<void> {
  const { bytesWritten } = await handle.writev(chunks);
  let skip = bytesWritten;
  for (const chunk of chunks) {
    // Only a full disk or a signal cuts a write short; what failed says so here.
    if (skip < chunk.length) await handle.writeFile(chunk.subarray(Math.max(0, skip)));
    skip -= chunk.length;
  }
}

/** What `/dev/stdout` is depends on who looks: nothing is ever renamed there, also where it is a file just now. */
async function isSpecial(path: string): Promise<boolean> {
  if (/^\/(?:dev|proc)\//.test(path)) return true;
  try {
    return !(await stat(path)).isFile();
  } catch (error) {
    if (isFsError(error, 'ENOENT')) return false;
    throw error;
  }
}
