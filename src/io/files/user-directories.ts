// Where a user's files are, by the environment (XDG Base Directory Specification 0.8): a relative path there is invalid and counts as none, as an empty one does.
import { isAbsolute, join } from 'node:path';

export interface UserSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; `undefined` for a user without one. */
  readonly home: string | undefined;
}

const BELOW_HOME = { XDG_DATA_HOME: '.local/share', XDG_CONFIG_HOME: '.config' } as const;

/** `undefined` where the variable names none and there is no home. */
export function userDirectory(variable: keyof typeof BELOW_HOME, { env, home }: UserSettings): string | undefined {
  return absolute(env[variable]) ?? (home && join(home, BELOW_HOME[variable]));
}

/** Sockets and the like; there is no other place for them. */
export function runtimeDirectory({ env }: Pick<UserSettings, 'env'>): string | undefined {
  return absolute(env.XDG_RUNTIME_DIR);
}

/** The path where it is an absolute one. */
export function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
