// Whom to believe: what a file says is its owner's word, and what lies in a directory that others can write may be anybody's. Nothing found there is believed.
import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;

export interface OwnedText {
  readonly text: string;
  /** The user who owns the file. */
  readonly uid: number;
}

/** A regular file of at most `most` bytes, with its owner. `undefined` for everything else: anybody may put links, pipes and endless files where many write. */
export function readOwnedText(path: string, most: number): OwnedText | undefined {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const info = fstatSync(file);
      return info.isFile() && info.size <= most ? { text: readFileSync(file, 'utf8'), uid: info.uid } : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** Whether what user `uid` has put into the directory may decide something for user `self`: it is his own or root's word, or the directory is that user's alone. */
export function isBelievedThere(directory: string, uid: number, self: number): boolean {
  if (uid === ROOT || uid === self) return true;
  try {
    return belongsTo(directory, [uid]);
  } catch {
    return false;
  }
}

/**
 * Whether root alone has decided who writes into the directory: all that leads to it is root's and nobody else can write it, and it is so itself, or is that of
 * `uid` alone (as systemd's RuntimeDirectory= makes it for a service).
 */
export function isGivenByRoot(directory: string, uid: number): boolean {
  try {
    let at = realpathSync(directory);
    if (!belongsTo(at, [ROOT, uid])) return false;
    while (at !== dirname(at)) {
      at = dirname(at);
      if (!belongsTo(at, [ROOT])) return false;
    }
    return true;
  } catch {
    return false;
  }
}

function belongsTo(directory: string, owners: readonly number[]): boolean {
  const { uid, mode } = statSync(directory);
  return owners.includes(uid) && (mode & WRITABLE_BY_OTHERS) === 0;
}
