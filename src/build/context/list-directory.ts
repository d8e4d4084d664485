// Lists the files of a directory that belong to the context, without those that .dockerignore excludes. Names are text as in archives (tar/names).
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { translateFsError } from '../../io/files/fs-errors.ts';
import { compareNames, decodeName, encodeName } from '../../tar/names.ts';
import type { Patterns } from './patterns.ts';

export interface ContextFile {
  /** Without a leading `/`. */
  readonly path: string;
  readonly kind: 'directory' | 'socket' | 'other';
}

/** Directories before their content, names in byte order. An excluded directory is listed if a `!` pattern re-includes something in it. Errors: NO_ACCESS. */
export async function listDirectory(root: string, ignore: Patterns | undefined): Promise<readonly ContextFile[]> {
  const found: ContextFile[] = [];
  const walk = async (directory: string): Promise<boolean> => {
    let any = false;
    for (const entry of await entriesOf(root, directory)) {
      const name = decodeName(entry.name);
      const path = directory === '' ? name : `${directory}/${name}`;
      const ignored = ignore?.matches(path) === true;
      const at = found.length;
      const isDirectory = entry.isDirectory();
      if (!ignored) found.push({ path, kind: isDirectory ? 'directory' : entry.isSocket() ? 'socket' : 'other' });
      const within = isDirectory && (!ignored || ignore?.takeBack) ? await walk(path) : false;
      if (ignored && within) found.splice(at, 0, { path, kind: 'directory' });
      any ||= !ignored || within;
    }
    return any;
  };
  await walk('');
  return found;
}

async function entriesOf(root: string, directory: string): Promise<readonly Dirent<Buffer>[]> {
  const path = Buffer.concat([Buffer.from(`${root}/`), encodeName(directory)]);
  try {
    const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
    return entries.sort((a, b) => compareNames(decodeName(a.name), decodeName(b.name)));
  } catch (error) {
    throw translateFsError(error, join(root, directory));
  }
}
