// A named temporary file for what must be written whole before it is sent on; it is gone afterwards.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { noTemporarySpace, translatingTemporaryErrors } from '../../io/files/temporary-file.ts';
import { isImagesError } from '../../oci/errors.ts';

/** Gives `work` the path of a file that is not there yet. Errors: those of `work`; NO_SPACE, READ_ONLY, NO_ACCESS of the directory. */
export async function withTemporaryFile<T>(temporaryDirectory: string, work: (path: string) => Promise<T>): Promise<T> {
  const directory = await translatingTemporaryErrors(temporaryDirectory, () =>
    mkdtemp(join(temporaryDirectory, 'images-')),
  );
  try {
    return await work(join(directory, 'made'));
  } catch (error) {
    // The user did not name this file, so the error should name the directory for temporary files.
    const isHere = isImagesError(error, 'NO_SPACE') && error.message.includes(directory);
    throw isHere ? noTemporarySpace(temporaryDirectory, error) : error;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
