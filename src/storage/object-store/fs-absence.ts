// What is not there is no error: other processes remove files and folders at any time.
import { isFsError } from '../../io/files/fs-errors.ts';

/** Whether the error says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  return isFsError(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG');
}

/** What `work` gives; `undefined` if there is no such file, or for these errors. */
export async function unlessAbsent<T>(work: () => Promise<T>, ...codes: readonly string[]): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isAbsent(error) || isFsError(error, ...codes)) return undefined;
    throw error;
  }
}
