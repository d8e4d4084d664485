// The user's cache directory: its content makes the program faster and can be deleted.
import { statSync } from 'node:fs';

export interface UserCache {
  readonly directory: string;
  /** Identifies the build of the program. */
  readonly program: string;
}

/** Returns `undefined` if there is no directory or no bundle. `bundle` is the program's file. */
export function userCache(directory: string | undefined, bundle: string | undefined): UserCache | undefined {
  const built = bundle && statSync(bundle, { throwIfNoEntry: false });
  return directory && built ? { directory, program: `${built.mtimeMs}:${built.size}` } : undefined;
}
