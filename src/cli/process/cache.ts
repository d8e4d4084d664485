// The user's own cache directory: what is kept there makes the program faster and can be thrown away.
import { statSync } from 'node:fs';

export interface UserCache {
  readonly directory: string;
  /** Changes with every build. */
  readonly program: string;
}

/** `undefined` where there is no directory for it. `bundle` is the program's file. */
export function userCache(directory: string | undefined, bundle: string | undefined): UserCache | undefined {
  const built = bundle && statSync(bundle, { throwIfNoEntry: false });
  return directory && built ? { directory, program: `${built.mtimeMs}:${built.size}` } : undefined;
}
