// Writes a stream to a file atomically. Relies on rename being atomic.
import { open, rename, rm } from 'node:fs/promises';
import { gatheringWriter } from './file-writer.ts';
import { isFsError, translatingFsErrors } from './fs-errors.ts';
import { behindLinks, targetAt } from './special-file.ts';
import { unfinishedPath } from './unfinished-file.ts';

/**
 * Writes to a temporary file beside `path` (beside its target, if it is a symbolic link), then renames it; on failure the old file stays. A device or a pipe
 * is written in place.
 * Errors: those of the data; NO_SPACE, READ_ONLY, NO_ACCESS; ENOENT if the directory does not exist, EISDIR if the path is a directory.
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
      // The error names the temporary file, the user knows only `path`.
      if (isFsError(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) error.path = path;
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

async function write(path: string, flags: 'w' | 'wx', data: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(path, flags);
  // Writes without positions, because a pipe has none.
  const writer = gatheringWriter(async (chunks) => (await handle.writev([...chunks])).bytesWritten);
  try {
    for await (const chunk of data) await writer.append(chunk);
    await writer.flush();
  } finally {
    await writer.abandon();
    await handle.close();
  }
}
