// Exclusive locks between processes, for places that several write to. Relies on process-identity and on directories that list what was created in them.
//
// A lock is a set of claims: empty files `PATH.IDENTITY.N`, made exclusively, whose *name* says who made them. So a claim is never
// partly written, and its name never comes back. Whoever wants the lock makes a claim, then lists: a live claim beside it means that somebody
// holds the lock or wants it too, so it withdraws and tries again later. Of two that come at once at least one sees the other: both
// cannot win. A dead owner's claim is simply removed; nobody can remove a live one by mistake, as two takers of one lock file could.
import { open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, ownIdentity } from '../concurrency/process-identity.ts';
import { makeDirectory } from './atomic-file.ts';
import { isFsError } from './fs-errors.ts';

/** Held until disposed, or until its process ends. */
export interface Lock extends AsyncDisposable {}

const FIRST_WAIT_MS = 4;
const LONGEST_WAIT_MS = 150;

/** Takes the lock at `path`; waits while another, in this process or elsewhere, holds it. Makes the directory. Throws what `signal` aborts with. */
export async function acquireLock(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<Lock> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    options.signal?.throwIfAborted();
    const lock = await tryLock(path);
    if (lock) return lock;
    // Not all the same time, or two that came at once would meet for ever.
    const ended = options.signal ? { signal: options.signal } : {};
    await delay(wait * (0.5 + Math.random()), undefined, ended).catch(() => options.signal?.throwIfAborted());
  }
}

/** Takes the lock at `path` if nobody else holds it or is about to. */
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
      // ENOENT: another one removed the directory, as empty, after we made it. EEXIST: another thread of this process counts too.
      if (isFsError(error, 'ENOENT')) await makeDirectory(dirname(path));
      else if (!isFsError(error, 'EEXIST')) throw error;
    }
  }
}

async function othersClaim(path: string, claim: string): Promise<boolean> {
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  for (const file of await readdir(directory)) {
    if (!file.startsWith(prefix) || file === basename(claim)) continue;
    const identity = file.slice(prefix.length, file.lastIndexOf('.'));
    if (isAlive(identity)) return true;
    await rm(join(directory, file), { force: true });
  }
  return false;
}
