// The user's own cache directory: what is kept there makes the program faster and can be thrown away.
import { statSync } from 'node:fs';

export interface Cache {
  readonly directory: string;
  /** Changes with every build. */
  readonly program: string;
}

/** `undefined` where the environment names no home. `bundle` is the program's file. */
export function userCache(
  env: Readonly<Record<string, string | undefined>>,
  bundle: string | undefined,
): Cache | undefined {
  const base = env.XDG_CACHE_HOME || (env.HOME && `${env.HOME}/.cache`);
  const built = bundle && statSync(bundle, { throwIfNoEntry: false });
  return base && built ? { directory: `${base}/images`, program: `${built.mtimeMs}:${built.size}` } : undefined;
}
