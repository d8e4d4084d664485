// Names for files that are being written: hidden, beside the final file, and with the identity of the writing process, so that leftovers of a killed process
// can be told from the files of a running one. Relies on process-identity.
import { lstat, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAlive, ownIdentity } from '../concurrency/process-identity.ts';

/** Milliseconds without a write after which a file counts as abandoned. Processes of other machines and containers look dead from here, but they write often. */
const UNTOUCHED_MS = 10 * 60 * 1000;

let files = 0;

/** A unique name beside `path`. Removes what dead processes have left beside it. */
export async function unfinishedPath(path: string): Promise<string> {
  const prefix = `.${basename(path)}.`;
  const directory = dirname(path);
  // Cleaning up is best effort: an error here is ignored, or shows again when writing.
  for (const name of await readdir(directory).catch(() => [])) {
    if (name.startsWith(prefix)) await removeLeft(join(directory, name), name.slice(prefix.length)).catch(() => {});
  }
  files += 1;
  return join(directory, `${prefix}${ownIdentity()}~${files}`);
}

async function removeLeft(path: string, suffix: string): Promise<void> {
  const [, identity] = /^(\d+\.\d*\.[0-9a-f-]*)~\d+$/.exec(suffix) ?? [];
  if (identity === undefined || isAlive(identity)) return;
  const { mtimeMs } = await lstat(path);
  if (Date.now() - mtimeMs > UNTOUCHED_MS) await rm(path, { force: true });
}
