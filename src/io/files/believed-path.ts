// Which files may be trusted, by their owner and their directory. A file says what its owner wants, and in a directory that others can write it may be anybody's.
import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;

export interface OwnedText {
  readonly text: string;
  /** The user who owns the file. */
  readonly uid: number;
  readonly gid: number;
  /** The permissions. */
  readonly mode: number;
}

/** Reads a regular file of at most `most` bytes. Returns `undefined` for anything else: in a shared directory anybody can put links, pipes and endless files. */
export function readOwnedText(path: string, most: number): OwnedText | undefined {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const info = fstatSync(file);
      if (!info.isFile() || info.size > most) return undefined;
      const { uid, gid, mode } = info;
      return { text: readFileSync(file, 'utf8'), uid, gid, mode: mode & 0o7777 };
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** Whether user `self` trusts what user `uid` has put into the directory: `uid` is root or `self`, or only `uid` can write the directory. */
export function isBelievedThere(directory: string, uid: number, self: number): boolean {
  if (uid === ROOT || uid === self) return true;
  try {
    return belongsTo(directory, [uid]);
  } catch {
    return false;
  }
}

/**
 * Whether root alone has decided who may write the directory: all its parents belong to root and nobody else can write them, and the directory itself belongs
 * to root, or to `uid` alone (as systemd's RuntimeDirectory= sets it up for a service).
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
