// What of registries.conf goes together with ours: its other drop-ins, and the file itself, which may be of version 1.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SEARCH_FILE, SEARCH_KEY } from '../../nodes/containers-files.ts';

const DIRECTORY = 'etc/containers/registries.conf.d';
const MAIN = 'etc/containers/registries.conf';

/** Why a file of ours cannot be there; `set-elsewhere`: others say what short names mean. */
export async function containersConflict(path: string, root: string): Promise<string | undefined> {
  if (!path.startsWith(`${DIRECTORY}/`)) return undefined;
  const main = await textOf(join(root, MAIN));
  // With both versions, every pull fails.
  if (/^\s*\[registries\./m.test(main)) return `/${MAIN} is of version 1: remove it, or write it anew`;
  if (path !== SEARCH_FILE) return undefined;
  const names = await readdir(join(root, DIRECTORY)).catch(() => []);
  const others = names.filter((name) => name.endsWith('.conf') && `${DIRECTORY}/${name}` !== SEARCH_FILE);
  const texts = [main, ...(await Promise.all(others.map((name) => textOf(join(root, DIRECTORY, name)))))];
  return texts.some((text) => new RegExp(`^\\s*${SEARCH_KEY}`, 'm').test(text)) ? 'set-elsewhere' : undefined;
}

async function textOf(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}
