// The files below a scanned directory, and their documents. Relies on node:fs and on yaml.ts.
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileTree, ScannedDocument, Warning } from './contract.ts';
import { decodeText } from './decode-text.ts';
import { brokenText } from './lines.ts';
import { listFiles } from './list-files.ts';
import { reasonOf } from './reason.ts';
import { parseYaml } from './yaml.ts';

/** Larger than any manifest. Protects the memory from a disk image named `.yaml`. */
const MAX_FILE = 64 << 20;
/** Number of files whose parsed documents are cached. Rules ask for the same few files repeatedly, but memory use must stay flat. */
const REMEMBERED = 16;
/** In bytes. What a rule looked through is kept for the scan that follows, so that small trees are read once. */
const MAX_KEPT = 16 << 20;

/**
 * Opens the tree below `directory`, as list-files.ts lists it. Unreadable files are reported to `warn` and omitted.
 * `mayMatter` is asked before a part of a file is parsed. Errors: FILE_UNREADABLE (there is no such directory).
 */
export function openFileTree(
  directory: string,
  warn: (warning: Warning) => void,
  mayMatter: (part: string) => boolean = () => true,
): FileTree {
  const files = listFiles(directory, warn);
  const known = new Set(files);
  const recent = new Map<string, readonly ScannedDocument[]>();
  const warned = new Set<string>();
  const broken = new Set<string>();
  const kept = new Map<string, Buffer>();
  let keptBytes = 0;

  const bytesOf = (file: string): Buffer => {
    const before = kept.get(file);
    if (before) return before;
    try {
      return readBytes(join(directory, file));
    } catch (error) {
      if (!warned.has(file)) warn({ file, text: `cannot be read: ${reasonOf(error)}` });
      warned.add(file);
      return Buffer.alloc(0);
    }
  };
  const keepBytes = (file: string): Buffer => {
    const bytes = bytesOf(file);
    if (kept.has(file) || keptBytes + bytes.length > MAX_KEPT) return bytes;
    kept.set(file, bytes);
    keptBytes += bytes.length;
    return bytes;
  };
  const readText = (file: string): string => {
    const bytes = bytesOf(file);
    if (kept.delete(file)) keptBytes -= bytes.length;
    return decodeText(bytes);
  };
  const parse = (file: string): readonly ScannedDocument[] => {
    const parsed = parseYaml(file, readText(file), mayMatter);
    // For a manifest the scan itself warns, when it reads the lines of the file.
    if (!warned.has(file) && !isManifestFile(file)) {
      for (const part of parsed.broken) warn({ file, line: part.line, text: brokenText(part) });
    }
    if (parsed.broken.length > 0) {
      warned.add(file);
      broken.add(file);
    }
    return parsed.documents;
  };

  return {
    files,
    broken,
    has: (file) => known.has(file),
    read: async (file) => readText(file),
    bytes: async (file) => keepBytes(file),
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

/** Decided by the name. */
export function isManifestFile(file: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(file);
}

/** Uses fstat and one read. readFileSync with a stat before it costs one more system call for each file. */
function readBytes(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    // Files that the kernel generates (/proc, /sys) have size 0, and some of them never end.
    if (size === 0) return Buffer.alloc(0);
    if (size > MAX_FILE) throw new Error(`it is larger than ${MAX_FILE >> 20} MiB`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}
