// A file without a name, for what does not fit into memory: gone as soon as it is closed, also by a crash or a kill.
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ImagesError } from '../../oci/errors.ts';
import type { Bytes } from '../streams/bytes.ts';
import { fileWriter } from './file-writer.ts';
import { isFsError, translateFsError } from './fs-errors.ts';

const HINT = 'Set TMPDIR to a directory that can be written to and has room.';

/** Opens it in `directory`. Errors: NO_SPACE, READ_ONLY, NO_ACCESS; ENOENT where the directory is not there. */
export async function temporaryFile(directory: string): Promise<FileHandle> {
  return await translatingTemporaryErrors(directory, async () => {
    const path = join(directory, `.images-${randomUUID()}`);
    const handle = await open(path, 'wx+', 0o600);
    try {
      await unlink(path);
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
    await translatingTemporaryErrors(directory, async () => {
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

/** As `translatingFsErrors`, where what fails is a temporary file: its place can be chosen. */
export async function translatingTemporaryErrors<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The directory is what was chosen, not the file in it.
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) error.path = directory;
    throw translateFsError(error, directory, { what: 'temporary files', hint: HINT });
  }
}

/** Where something else has said already that there is no room. */
export function noTemporarySpace(directory: string, cause: unknown): ImagesError {
  return new ImagesError('NO_SPACE', `no space left for temporary files [${directory}]`, { hint: HINT, cause });
}
