// The name under which a file is written until it is whole: hidden, beside its own, and with the process that writes it, so that what a killed process left
// can be told from what another one is writing. Relies on process-identity.
import { lstat, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAlive, ownIdentity } from '../concurrency/process-identity.ts';

/** Who writes a large file writes often. Another machine's processes, and those of another container, look dead from here. */
const UNTOUCHED_MS = 10 * 60 * 1000;

let files = 0;

/** A name that nobody else uses. What was left beside it by processes that are gone is removed. */
export async function unfinishedPath(path: string): Promise<string> {
  const prefix = `.${basename(path)}.`;
  const directory = dirname(path);
  // Whatever stands in the way of tidying up does not stand in the way of writing, or shows there.
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
