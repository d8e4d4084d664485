// Finds helper programs of this machine on PATH.
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';

/** Directories that are often missing from the PATH of unprivileged users. */
const OF_ROOT: readonly string[] = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'];

export interface Programs {
  /** PATH for child processes: `path`, and the directories of root's programs. */
  readonly path: string;
  /** The path of the program. Returns `undefined` if it is not installed. */
  find(name: string): Promise<string | undefined>;
}

export function findPrograms(path: string): Programs {
  const directories = [...new Set([...path.split(':').filter(isAbsolute), ...OF_ROOT])];
  const known = new Map<string, Promise<string | undefined>>();
  return {
    path: directories.join(':'),
    find(name) {
      const found = known.get(name) ?? firstOf(directories, name);
      known.set(name, found);
      return found;
    },
  };
}

async function firstOf(directories: readonly string[], name: string): Promise<string | undefined> {
  for (const directory of directories) {
    const file = join(directory, name);
    if (await isProgram(file)) return file;
  }
  return undefined;
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

const PACKAGES: Readonly<Record<string, string>> = {
  newuidmap: 'uidmap',
  newgidmap: 'uidmap',
  bwrap: 'bubblewrap',
  unshare: 'util-linux',
  mount: 'util-linux',
  setpriv: 'util-linux',
  sh: 'dash',
};

/** The command that installs the program on Debian and Ubuntu. */
export function mendProgram(name: string): string {
  return `Install it: sudo apt install ${PACKAGES[name] ?? name}`;
}
