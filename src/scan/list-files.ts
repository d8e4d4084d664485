// Which files a scan looks at: all below a directory, but for what tools keep for themselves. Relies on node:fs.
import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { ImagesError } from '../oci/errors.ts';
import { byBytes } from './byte-order.ts';
import type { Warning } from './contract.ts';
import { reasonOf } from './reason.ts';

/** What tools keep for themselves, the pipelines of build services, and the settings of editors: nothing in it is deployed. */
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

/** Links in linked directories are followed so many times before each directory counts as seen for good. */
const MAX_LINKS = 2;
/** A tree of links to links could be listed without end. */
const MAX_REPEATED = 20_000;

interface Folder {
  /** Relative to the listed directory; empty for that itself. */
  readonly path: string;
  readonly real: string;
  /** Through how many links the path leads. */
  readonly links: number;
}

/**
 * The files below `directory`, relative to it, in byte order. Symbolic links are followed, for what they stand for is used under both names
 * (a library that charts share), but never to a directory that the link itself, or the listed directory, lies in.
 * What cannot be read is told to `warn` and left out. Errors: FILE_UNREADABLE where there is no such directory.
 * Read one after the other on purpose: for ten thousand small files, waiting for the pool of threads costs more than the reading.
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

/** The sources of other programs that Go keeps beside its own (go.dev/ref/mod#vendoring): nobody deploys the manifests among them. */
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
