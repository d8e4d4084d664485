// Which files a scan reads: all below a directory, except directories and files that tools use for themselves. Relies on node:fs.
import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { ImagesError } from '../oci/errors.ts';
import { byBytes } from './byte-order.ts';
import type { Warning } from './contract.ts';
import { reasonOf } from './reason.ts';

/** Directories that tools use for themselves, CI pipelines, and settings of editors. Nothing in them is deployed. */
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
  '.devcontainer',
  '.vscode',
  '.idea',
]);
const SKIPPED_FILES =
  /^(?:\.(?:gitlab-ci|travis|drone|appveyor|pre-commit-config|goreleaser|golangci)|azure-pipelines)\.ya?ml$/;

/** Maximum number of symbolic links in the path of a directory that was already listed under another path. */
const MAX_LINKS = 2;
/** When more files than this are listed, directories that were already listed are no longer listed again by way of links. Otherwise links to links could multiply without end. */
const MAX_REPEATED = 20_000;

interface Folder {
  /** Relative to the listed directory; empty for the listed directory itself. */
  readonly path: string;
  readonly real: string;
  /** Number of symbolic links in the path. */
  readonly links: number;
}

/**
 * The files below `directory`, relative to it, in byte order. Symbolic links are followed, since the target is used under both names (such as a library that
 * charts share). A link to a directory that contains the link itself, or the listed directory, is not followed.
 * Unreadable entries are reported to `warn` and omitted. Errors: FILE_UNREADABLE (there is no such directory).
 * Synchronous on purpose: with ten thousand small files, waiting for the thread pool takes longer than reading.
 */
export function listFiles(directory: string, warn: (warning: Warning) => void): string[] {
  const top = realDirectory(directory);
  const visited = new Set<string>();
  const files: string[] = [];
  const pending: Folder[] = [{ path: '', real: top, links: 0 }];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    try {
      const isRepeated = visited.has(folder.real);
      if (isRepeated && folder.links > 0 && (folder.links > MAX_LINKS || files.length > MAX_REPEATED)) continue;
      visited.add(folder.real);
      const entries = readdirSync(join(directory, folder.path), { withFileTypes: true });
      if (isVendored(folder.path, entries)) continue;
      for (const entry of entries) {
        const path = folder.path === '' ? entry.name : `${folder.path}/${entry.name}`;
        const type = typeOf(entry, join(directory, path));
        if (type === 'file' && !SKIPPED_FILES.test(entry.name)) files.push(path);
        else if (type === 'directory' && !SKIPPED_DIRECTORIES.has(entry.name)) {
          const inner = entry.isSymbolicLink()
            ? linkedFolder(folder, path, directory)
            : plainFolder(folder, entry.name);
          if (!contains(inner.real, top) && !contains(inner.real, folder.real)) pending.push(inner);
        }
      }
    } catch (error) {
      warn({ file: folder.path, text: `cannot be read: ${reasonOf(error)}` });
    }
  }
  return files.sort(byBytes);
}

function plainFolder({ path, real, links }: Folder, name: string): Folder {
  return { path: path === '' ? name : `${path}/${name}`, real: join(real, name), links };
}

function linkedFolder({ links }: Folder, path: string, directory: string): Folder {
  return { path, real: realpathSync(join(directory, path)), links: links + 1 };
}

/** Whether the directory is Go's `vendor`, with the sources of dependencies (go.dev/ref/mod#vendoring). Nobody deploys the manifests in it. */
function isVendored(path: string, entries: readonly Dirent[]): boolean {
  return /(?:^|\/)vendor$/.test(path) && entries.some(({ name }) => name === 'modules.txt');
}

function realDirectory(directory: string): string {
  try {
    if (statSync(directory).isDirectory()) return realpathSync(directory);
  } catch (cause) {
    throw new ImagesError('FILE_UNREADABLE', `no such directory [${directory}]`, { cause });
  }
  throw new ImagesError('FILE_UNREADABLE', `not a directory [${directory}]`);
}

/** Returns `undefined` for a device or a socket, and for a symbolic link that is broken or leads to itself. */
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
