// A new file with small content, made by few steps of the thread pool: a FileHandle takes one for each call, although writing to a file that was just made, and closing it,
// only touch the kernel's memory. Relies on node:fs alone, like whole-file.
import { close, closeSync, fdatasync, fstatSync, open, openSync, type Stats, write, writeSync } from 'node:fs';

export interface NewFileOptions {
  /** Waits until the content is on disk. Default: false. */
  readonly synced?: boolean;
  /** Makes a call without the thread pool; absent where that might take long. */
  readonly atOnce?: (call: () => void) => void;
  /** The same for making the file, which changes its folder. */
  readonly madeAtOnce?: (call: () => number) => number;
}

/** Makes the file with these bytes, and returns what it is then. What fails leaves a file with a part of them. Errors: those of the file system; EEXIST if it is there. */
export async function writeNewFile(path: string, bytes: Uint8Array, options: NewFileOptions = {}): Promise<Stats> {
  const { synced = false, atOnce, madeAtOnce } = options;
  const file = madeAtOnce ? madeAtOnce(() => openSync(path, 'wx')) : await made(path);
  try {
    if (atOnce) atOnce(() => writeAtOnce(file, bytes));
    else await writeAll(file, bytes);
    if (synced) await syncedContent(file);
    return fstatSync(file);
  } finally {
    if (atOnce) closeSync(file);
    else await closed(file);
  }
}

function writeAtOnce(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at);
}

async function writeAll(file: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += await written(file, bytes, at);
}

function made(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, 'wx', (error, file) => (error ? reject(error) : resolve(file)));
  });
}

function written(file: number, bytes: Uint8Array, from: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(file, bytes, from, bytes.length - from, null, (error, count) => (error ? reject(error) : resolve(count)));
  });
}

function syncedContent(file: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(file, (error) => (error ? reject(error) : resolve()));
  });
}

function closed(file: number): Promise<void> {
  return new Promise((resolve, reject) => {
    close(file, (error) => (error ? reject(error) : resolve()));
  });
}
