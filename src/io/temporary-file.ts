// A file without a name, for what does not fit into memory: gone as soon as it is closed, also by a crash or a kill.
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileWriter } from './file-writer.ts';
import { translatingFsErrors } from './fs-errors.ts';

type Bytes = AsyncIterable<Uint8Array>;

/** Opens it in `directory`. Errors: NO_SPACE, READ_ONLY, NO_ACCESS; ENOENT where the directory is not there. */
export async function temporaryFile(directory: string): Promise<FileHandle> {
  return await translatingFsErrors(directory, async () => {
    const path = join(directory, `.images-${crypto.randomUUID()}`);
    const handle = await open(path, 'wx+', 0o600);
    try {
      await rm(path);
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  });
}

/** Writes a stream into a temporary file. Its size, in bytes, is the file's. Errors: as `temporaryFile`, and the stream's. */
export async function spooled(body: Bytes, directory: string): Promise<FileHandle> {
  const handle = await temporaryFile(directory);
  try {
    await translatingFsErrors(directory, async () => {
      const writer = fileWriter(handle, 0);
      for await (const chunk of body) await writer.append(chunk);
      await writer.flush();
    });
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}
