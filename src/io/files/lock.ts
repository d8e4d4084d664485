// Locks between processes. Relies on process-identity, and on a directory listing containing every file that was created in it before.
//
// A lock is a set of claims: empty files `PATH.IDENTITY.N`, made exclusively, whose *name* identifies the owner. So a claim is never half written,
// and no name is used twice. To take the lock, a process makes a claim and then lists the claims. If another one's owner is alive, that process
// holds the lock or wants it too, so the claim is withdrawn and the process tries again later. Of two that come at once at least one sees the
// other, so they cannot both win. The claim of a dead owner is simply removed. With a single lock file, two processes that remove a dead owner's
// file could remove a live one.
import { open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, ownIdentity, type ProcessIdentity } from '../concurrency/process-identity.ts';
import { makeDirectory } from './atomic-file.ts';
import { isFsError } from './fs-errors.ts';

/** Held until it is disposed, or its process ends. */
export interface Lock extends AsyncDisposable {}

const FIRST_WAIT_MS = 4;
const LONGEST_WAIT_MS = 150;

/** Takes the lock at `path`; waits while this or another process holds it. Makes the directory. Throws the signal's reason. */
export async function acquireLock(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<Lock> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    options.signal?.throwIfAborted();
    const lock = await tryLock(path);
    if (lock) return lock;
    // A random pause: with equal pauses, two processes that collided once would collide for ever.
    const ended = options.signal ? { signal: options.signal } : {};
    await delay(wait * (0.5 + Math.random()), undefined, ended).catch(() => options.signal?.throwIfAborted());
  }
}

/** The process that holds the lock at `path`, or is about to; `undefined` if none does. Changes nothing. */
export async function lockHolder(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return (await claimsOf(path)).map(([, identity]) => identity).find(isAlive);
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Takes the lock at `path`; returns `undefined` if somebody else holds it or is about to. */
export async function tryLock(path: string): Promise<Lock | undefined> {
  const claim = await makeClaim(path);
  try {
    if (await othersClaim(path, claim)) {
      await rm(claim, { force: true });
      return undefined;
    }
  } catch (error) {
    await rm(claim, { force: true });
    throw error;
  }
  return { [Symbol.asyncDispose]: () => rm(claim, { force: true }) };
}

let claims = 0;

async function makeClaim(path: string): Promise<string> {
  for (;;) {
    claims += 1;
    const claim = `${path}.${ownIdentity()}.${claims}`;
    try {
      await (await open(claim, 'wx')).close();
      return claim;
    } catch (error) {
      // ENOENT: another process removed the empty directory after we made it. EEXIST: another thread of this process has made the claim.
      if (isFsError(error, 'ENOENT')) await makeDirectory(dirname(path));
      else if (!isFsError(error, 'EEXIST')) throw error;
    }
  }
}

async function othersClaim(path: string, claim: string): Promise<boolean> {
  for (const [file, identity] of await claimsOf(path)) {
    if (file === claim) continue;
    if (isAlive(identity)) return true;
    await rm(file, { force: true });
  }
  return false;
}

/** The files of all claims, and who made them. */
async function claimsOf(path: string): Promise<readonly (readonly [file: string, owner: ProcessIdentity])[]> {
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  const files = (await readdir(directory)).filter((file) => file.startsWith(prefix));
  return files.map((file) => [join(directory, file), file.slice(prefix.length, file.lastIndexOf('.'))]);
}
