// Where the program may keep what it believes, and runs, the next time: the user's own cache directory, and nobody else's.

const WRITABLE_BY_OTHERS = 0o002;
const STICKY = 0o1000;

/** `undefined` where the environment names no home, or the directory belongs to somebody else or could be exchanged by others (sudo keeps $HOME in places). */
export function cacheDirectory(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const base = env.XDG_CACHE_HOME || (env.HOME && `${env.HOME}/.cache`);
  if (!base) return undefined;
  const directory = `${base}/images`;
  return isOwn(base, true) && isOwn(directory, false) ? directory : undefined;
}

/** What is not there yet will be made. In root's sticky directories (/tmp) everybody's own files are safe. */
function isOwn(directory: string, maybeSticky: boolean): boolean {
  // Not imported: the entry, which asks before the rest is loaded from the cache, would load the chunk that all share.
  const info = process.getBuiltinModule('node:fs').statSync(directory, { throwIfNoEntry: false });
  if (!info) return true;
  const self = process.geteuid?.() ?? info.uid;
  if (maybeSticky && info.uid === 0 && (info.mode & STICKY || !(info.mode & WRITABLE_BY_OTHERS))) return true;
  return info.uid === self && !(info.mode & WRITABLE_BY_OTHERS);
}
