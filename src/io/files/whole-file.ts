// A small file, read whole: two steps of the thread pool instead of the four that a FileHandle takes, and without node:fs/promises, which short commands
// would load for this alone.
import { closeSync, constants, fstatSync, open, openSync, read, readSync, type Stats } from 'node:fs';

/** Without O_NONBLOCK, opening a pipe would wait for a writer. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * The file's bytes, or its size if it has more than `most`; `undefined` for what is no regular file. An open file's inode is in memory, so asking for its size and
 * closing it do not wait for the disk. Errors: those of the file system.
 */
export async function readWholeFile(path: string, most: number): Promise<Buffer | number | undefined> {
  const file = await readSmallFile(path, most);
  return file && (file.bytes ?? file.found.size);
}

export interface FileWithTimes {
  /** What the file was before its bytes were read. */
  readonly found: Stats;
  /** Absent if the file has more than `most` bytes. */
  readonly bytes?: Buffer;
}

/** The same, with the file's times. */
export async function readSmallFile(path: string, most: number): Promise<FileWithTimes | undefined> {
  const file = await openFile(path, FLAGS);
  try {
    const found = fstatSync(file);
    if (!found.isFile()) return undefined;
    return found.size <= most ? { found, bytes: await readFully(file, found.size) } : { found };
  } finally {
    closeSync(file);
  }
}

/** The same without the thread pool: for who has nothing else to do. */
export function readSmallFileAtOnce(path: string, most: number): FileWithTimes | undefined {
  const file = openSync(path, FLAGS);
  try {
    const found = fstatSync(file);
    if (!found.isFile()) return undefined;
    if (found.size > most) return { found };
    const bytes = Buffer.allocUnsafeSlow(found.size);
    for (let filled = 0; filled < bytes.length; ) {
      const count = readSync(file, bytes, filled, bytes.length - filled, filled);
      if (count === 0) throw endedEarly(filled);
      filled += count;
    }
    return { found, bytes };
  } finally {
    closeSync(file);
  }
}

async function readFully(file: number, size: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(size);
  for (let filled = 0; filled < size; ) {
    const count = await readOnce(file, buffer, filled);
    if (count === 0) throw endedEarly(filled);
    filled += count;
  }
  return buffer;
}

function endedEarly(at: number): Error {
  return new Error(`file ended early, at byte ${at}`);
}

function openFile(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, flags, (error, file) => (error ? reject(error) : resolve(file)));
  });
}

function readOnce(file: number, buffer: Buffer, from: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(file, buffer, from, buffer.length - from, from, (error, count) => (error ? reject(error) : resolve(count)));
  });
}
