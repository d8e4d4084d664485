// Finds what changed in a directory, by inode numbers and change times. Names are byte strings (latin1).
import { join } from 'node:path';
import { ImagesError } from '../../oci/errors.ts';
import type { Namespaces } from './namespace.ts';

export const LIST = "find . -xdev -printf '%y %i %C@ %P\\0'";

export interface Changed {
  /** With their parent directories, which come first. */
  readonly changed: readonly string[];
  /** Without the content of deleted directories. */
  readonly gone: readonly string[];
}

/** The file `before` in the directory lists the earlier content of `fs`. Errors: BUILD_FAILED. */
export async function changedSince(directory: string, namespaces: Namespaces): Promise<Changed> {
  const [before, after] = await Promise.all([
    listed(namespaces, 'exec cat -- "$1/before"', directory),
    listed(namespaces, `cd -- "$1/fs"; ${LIST}`, directory),
  ]);
  const changed = new Set<string>();
  for (const [name, state] of after) {
    if (before.get(name) === state) continue;
    for (let path = name; !changed.has(path); path = parentOf(path)) changed.add(path);
  }
  const gone = [...before.keys()].filter((name) => !after.has(name) && (name === '' || after.has(parentOf(name))));
  return { changed: [...changed].sort(), gone: gone.sort() };
}

async function listed(namespaces: Namespaces, script: string, directory: string): Promise<Map<string, string>> {
  const started = await namespaces.start(script, { args: [directory] });
  started.stdin.end();
  started.stderr.resume();
  const chunks = await Array.fromAsync(started.stdout as AsyncIterable<Buffer>);
  const status = await started.status;
  started.control.destroy();
  if (status !== 0)
    throw new ImagesError('BUILD_FAILED', `what the command changed cannot be listed [${join(directory, 'fs')}]`);
  const lines = Buffer.concat(chunks).toString('latin1').split('\0').slice(0, -1);
  return new Map(lines.map((line) => [line.split(' ').slice(3).join(' '), line.split(' ', 3).join(' ')]));
}

function parentOf(name: string): string {
  const slash = name.lastIndexOf('/');
  return slash < 0 ? '' : name.slice(0, slash);
}
