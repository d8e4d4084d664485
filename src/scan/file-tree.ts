// The files below a scanned directory, and their documents. Relies on node:fs and on yaml.ts.
import {
  closeSync,
  type Dirent,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';
import { ImagesError } from '../oci/errors.ts';
import { byBytes } from './byte-order.ts';
import type { FileTree, ScannedDocument, Warning } from './contract.ts';
import { mayMatter } from './may-matter.ts';
import { parseYaml } from './yaml.ts';

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
/** No manifest is this big; a disk image named `.yaml` must not fill the memory. */
const MAX_FILE = 64 << 20;
/** How many files' documents are remembered: rules ask for the same few files again and again, but memory must stay flat. */
const REMEMBERED = 16;

/**
 * Opens the tree below `directory`. Symbolic links are followed, each directory is visited once, and never one that the scanned
 * directory lies in. What cannot be read is told to `warn` and left out. Errors: FILE_UNREADABLE where there is no such directory.
 */
export function openFileTree(directory: string, warn: (warning: Warning) => void): FileTree {
  const files = listFiles(directory, warn).sort(byBytes);
  const known = new Set(files);
  const recent = new Map<string, readonly ScannedDocument[]>();
  const warned = new Set<string>();

  const bytesOf = (file: string): Buffer => {
    try {
      return readBytes(join(directory, file));
    } catch (error) {
      if (!warned.has(file)) warn({ file, text: `cannot be read: ${reasonOf(error)}` });
      warned.add(file);
      return Buffer.alloc(0);
    }
  };
  const readText = (file: string): string => decode(bytesOf(file));
  const parse = (file: string): readonly ScannedDocument[] => {
    const parsed = parseYaml(file, readText(file), mayMatter);
    if (!warned.has(file)) {
      for (const part of parsed.broken) warn({ file, line: part.line, text: `does not parse: ${part.reason}` });
    }
    if (parsed.broken.length > 0) warned.add(file);
    return parsed.documents;
  };

  return {
    files,
    has: (file) => known.has(file),
    read: async (file) => readText(file),
    bytes: async (file) => bytesOf(file),
    documents: async (file) => {
      const documents = recent.get(file) ?? parse(file);
      recent.delete(file);
      recent.set(file, documents);
      for (const oldest of recent.keys()) {
        if (recent.size > REMEMBERED) recent.delete(oldest);
      }
      return documents;
    },
  };
}

/** Read one after the other on purpose: for ten thousand small files, waiting for the pool of threads costs more than the reading. */
function listFiles(directory: string, warn: (warning: Warning) => void): string[] {
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
  return files;
}

/** One look at the size and one read: readFileSync with a stat before it costs a call more a file. */
function readBytes(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    if (fstatSync(file).size > MAX_FILE) throw new Error(`it is larger than ${MAX_FILE >> 20} MiB`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
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

/** UTF-8 or, by its mark, UTF-16 (YAML 1.2.2, 5.2), without the mark. */
function decode(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le', 2);
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return Buffer.from(bytes.subarray(2, bytes.length & ~1))
      .swap16()
      .toString('utf16le');
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
