// A user's directories, from the environment (XDG Base Directory Specification 0.8). An empty or relative path in a variable counts as unset.
import { isAbsolute, join } from 'node:path';

export interface UserSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** An absolute path; `undefined` for a user without a home. */
  readonly home: string | undefined;
}

const BELOW_HOME = { XDG_DATA_HOME: '.local/share', XDG_CONFIG_HOME: '.config' } as const;

/** Returns `undefined` if the variable is unset and there is no home. */
export function userDirectory(variable: keyof typeof BELOW_HOME, { env, home }: UserSettings): string | undefined {
  return absolute(env[variable]) ?? (home && join(home, BELOW_HOME[variable]));
}

/** The directory for sockets and the like. It has no default. */
export function runtimeDirectory({ env }: Pick<UserSettings, 'env'>): string | undefined {
  return absolute(env.XDG_RUNTIME_DIR);
}

/** The path if it is absolute, else `undefined`. */
export function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
