// A stream into a file that is there whole or not at all. Relies on rename being atomic.
import { open, rename, rm } from 'node:fs/promises';
import { gatheringWriter } from './file-writer.ts';
import { isFsError, translatingFsErrors } from './fs-errors.ts';
import { behindLinks, targetAt } from './special-file.ts';
import { unfinishedPath } from './unfinished-file.ts';

/**
 * Writes beside `path`, or what links there lead to, then renames; a failure leaves what was there. What is no regular file (a device, a pipe) is written
 * to as it is.
 * Errors: the data's; NO_SPACE, READ_ONLY, NO_ACCESS; ENOENT where the directory is not there, EISDIR where the path is one.
 */
export async function writeStreamAtomically(path: string, data: AsyncIterable<Uint8Array>): Promise<void> {
  await translatingFsErrors(path, async () => {
    if ((await targetAt(path)) !== 'file') return await write(path, 'w', data);
    const file = await behindLinks(path);
    const temporary = await unfinishedPath(file);
    try {
      await write(temporary, 'wx', data);
      await rename(temporary, file);
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
  // Without positions: a pipe has none.
  const writer = gatheringWriter(async (chunks) => (await handle.writev([...chunks])).bytesWritten);
  try {
    for await (const chunk of data) await writer.append(chunk);
    await writer.flush();
  } finally {
    await writer.abandon();
    await handle.close();
  }
}
