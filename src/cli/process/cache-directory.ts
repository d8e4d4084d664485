// Where the program may keep what it believes, and runs, the next time: the user's own cache directory, and nobody else's.

const WRITABLE_BY_OTHERS = 0o002;
const STICKY = 0o1000;

/**
 * Made where it is lacking. `undefined` where the environment names no home, where nothing can be made there, and where the directory belongs to somebody else or
 * could be exchanged by others (sudo keeps $HOME in places).
 */
export function cacheDirectory(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const base = absolute(env.XDG_CACHE_HOME) ?? (absolute(env.HOME) && `${env.HOME}/.cache`);
  if (base === undefined) return undefined;
  const directory = `${base}/images`;
  return isOwn(base, true) && isOwn(directory, false) ? directory : undefined;
}

/** What is empty or relative names nothing (XDG Base Directory Specification). Not imported, as below. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined;
}

/** In root's sticky directories (/tmp) everybody's own files are safe. */
function isOwn(directory: string, maybeRoots: boolean): boolean {
  // Not imported: the entry, which asks before the rest is loaded from the cache, would load the chunk that all share.
  const { mkdirSync, statSync } = process.getBuiltinModule('node:fs');
  try {
    let info = statSync(directory, { throwIfNoEntry: false });
    if (!info) {
      // Node, which would make it later, never ends in a place like /proc.
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
