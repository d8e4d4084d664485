// Which files a scan looks at: all below a directory, but for what tools keep for themselves. Relies on node:fs.
import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { ImagesError } from '../oci/errors.ts';
import { byBytes } from './byte-order.ts';
import type { Warning } from './contract.ts';
import { reasonOf } from './reason.ts';

/** What tools keep for themselves, and the pipelines of build services: nothing in it is deployed. */
const SKIPPED_DIRECTORIES: ReadonlySet<string> = new Set([
  '.git',
  '.hg',
  '.svn',
  'node_modules',
  '.github',
  '.gitlab',
  '.circleci',
  '.semaphore',
  '.tekton',
]);
const SKIPPED_FILES =
  /^(?:\.(?:gitlab-ci|travis|drone|appveyor|pre-commit-config|goreleaser|golangci)|azure-pipelines)\.ya?ml$/;

/**
 * The files below `directory`, relative to it, in byte order. Symbolic links are followed, each directory is visited once, and never one
 * that the scanned directory lies in. What cannot be read is told to `warn` and left out. Errors: FILE_UNREADABLE where there is no such directory.
 * Read one after the other on purpose: for ten thousand small files, waiting for the pool of threads costs more than the reading.
 */
export function listFiles(directory: string, warn: (warning: Warning) => void): string[] {
  const top = realDirectory(directory);
  const visited = new Set<string>();
  const files: string[] = [];
  const pending = [''];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    try {
      const real = folder === '' ? top : realpathSync(join(directory, folder));
      if (visited.has(real) || (real !== top && contains(real, top))) continue;
      visited.add(real);
      for (const entry of readdirSync(join(directory, folder), { withFileTypes: true })) {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
        const type = typeOf(entry, join(directory, path));
        if (type === 'file' && !SKIPPED_FILES.test(entry.name)) files.push(path);
        else if (type === 'directory' && !SKIPPED_DIRECTORIES.has(entry.name)) pending.push(path);
      }
    } catch (error) {
      warn({ file: folder, text: `cannot be read: ${reasonOf(error)}` });
    }
  }
  return files.sort(byBytes);
}

function realDirectory(directory: string): string {
  try {
    if (statSync(directory).isDirectory()) return realpathSync(directory);
  } catch (cause) {
    throw new ImagesError('FILE_UNREADABLE', `no such directory [${directory}]`, { cause });
  }
  throw new ImagesError('FILE_UNREADABLE', `not a directory [${directory}]`);
}

/** A link that leads nowhere, or to itself, is nothing, as a device or a socket is. */
function typeOf(entry: Dirent, path: string): 'file' | 'directory' | undefined {
  const found = entry.isSymbolicLink() ? followLink(path) : entry;
  if (found?.isFile()) return 'file';
  return found?.isDirectory() ? 'directory' : undefined;
}

function followLink(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function contains(directory: string, inner: string): boolean {
  const path = relative(directory, inner);
  return path !== '..' && !path.startsWith(`..${sep}`);
}
