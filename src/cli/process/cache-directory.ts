// The cache directory, whose content the program trusts, and even executes, in later runs. So it must be the user's own.

const WRITABLE_BY_OTHERS = 0o002;
const STICKY = 0o1000;

/**
 * Creates it if it is missing. Returns `undefined` if the environment names no home, if it cannot be created, or if it belongs to another user or could be
 * replaced by others (sudo sometimes keeps $HOME).
 */
export function cacheDirectory(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const base = absolute(env.XDG_CACHE_HOME) ?? (absolute(env.HOME) && `${env.HOME}/.cache`);
  if (base === undefined) return undefined;
  const directory = `${base}/images`;
  return isOwn(base, true) && isOwn(directory, false) ? directory : undefined;
}

/** Empty and relative paths are ignored (XDG Base Directory Specification). Not imported, for the reason below. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined;
}

/** In sticky directories of root (/tmp) the files of each user are safe. */
function isOwn(directory: string, maybeRoots: boolean): boolean {
  // Not imported: this runs in the entry before the compile cache is on, and an import would load the shared chunk without it.
  const { mkdirSync, statSync } = process.getBuiltinModule('node:fs');
  try {
    let info = statSync(directory, { throwIfNoEntry: false });
    if (!info) {
      // Created here without `recursive`. Node's compile cache would create it recursively, which never returns in a file system like /proc.
      mkdirSync(directory, { mode: 0o700 });
      info = statSync(directory);
    }
    const { uid, mode } = info;
    if (maybeRoots && uid === 0 && (mode & STICKY || !(mode & WRITABLE_BY_OTHERS))) return true;
    return uid === (process.geteuid?.() ?? uid) && !(mode & WRITABLE_BY_OTHERS);
  } catch {
    return false;
  }
}
