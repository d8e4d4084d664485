// Unnamed temporary files, for what does not fit into memory. They vanish when they are closed, also by a crash or a kill.
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ImagesError } from '../../oci/errors.ts';
import type { Bytes } from '../streams/bytes.ts';
import { fileWriter } from './file-writer.ts';
import { isFsError, translateFsError } from './fs-errors.ts';

const HINT = 'Set TMPDIR to a directory that can be written to and has room.';

/** Opens an unnamed file in `directory`. Errors: NO_SPACE, READ_ONLY, NO_ACCESS; ENOENT if the directory does not exist. */
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

/** Writes a stream into a temporary file, whose size is then the stream's. Errors: as `temporaryFile`, and those of the stream. */
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

/** As `translatingFsErrors`, for temporary files: the hint says how to choose another directory. */
export async function translatingTemporaryErrors<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // Name the directory, which the user has chosen, and not the file in it.
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) error.path = directory;
    throw translateFsError(error, directory, { what: 'temporary files', hint: HINT });
  }
}

/** The error for when another component has reported that there is no space left. */
export function noTemporarySpace(directory: string, cause: unknown): ImagesError {
  return new ImagesError('NO_SPACE', `no space left for temporary files [${directory}]`, { hint: HINT, cause });
}
