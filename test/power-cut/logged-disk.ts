// A real ext4 with a journal on a block device that writes down all that it is told: each write and each flush, in order. From that follows what the device
// may hold if its power is cut at any moment: all before the last flush, and any of the later writes. Needs root, loop devices, FUSE and qemu-storage-daemon.
import { once } from 'node:events';
import { closeSync, copyFileSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must, run, start, stop, until } from '../peers/process.ts';
import { temporaryDirectory } from '../peers/temporary.ts';

export interface LoggedDisk extends AsyncDisposable {
  /** Where the file system is mounted. */
  readonly path: string;
  /** How much has been written down. */
  position(): number;
  /** Mounts what the device may hold after a cut at this position. Later positions are asked for later. `survives`: whether a write after the last flush does. */
  after(position: number, survives: () => boolean): Promise<MountedCut>;
}

export interface MountedCut extends AsyncDisposable {
  readonly path: string;
}

/** In bytes, of the device and of the log. */
const SIZE = 128 * 1024 * 1024;
const SECTOR = 512;
/** Flags of the log's entries (Linux, drivers/md/dm-log-writes.c). */
const FLUSH = 1;
const DISCARD = 4;

interface Entry {
  readonly flags: number;
  /** Of the device, and in the log; in bytes. */
  readonly at: number;
  readonly from: number;
  readonly size: number;
}

export async function loggedDisk(): Promise<LoggedDisk> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory('logged-disk'));
  const file = (name: string) => join(directory.path, name);
  for (const name of ['device', 'log', 'export', 'flushed', 'cut']) await writeFile(file(name), '');
  for (const name of ['device', 'flushed']) await truncate(file(name), SIZE);
  for (const name of ['disk', 'after']) await mkdir(file(name));
  const daemon = start('qemu-storage-daemon', [
    ...['--blockdev', `driver=file,node-name=device,filename=${file('device')}`],
    ...['--blockdev', `driver=file,node-name=log,filename=${file('log')}`],
    ...['--blockdev', 'driver=blklogwrites,node-name=logged,file=device,log=log,log-super-update-interval=1'],
    ...['--export', `fuse,id=export,node-name=logged,mountpoint=${file('export')},writable=on`],
  ]);
  stack.defer(() => stop(daemon));
  await Promise.race([until(async () => statSync(file('export')).size === SIZE), once(daemon, 'error').then(failed)]);
  const loop = (await must('losetup', ['--find', '--show', file('export')])).trim();
  stack.defer(async () => void (await run('losetup', ['--detach', loop])));
  await must('mkfs.ext4', ['-q', '-E', 'nodiscard,lazy_itable_init=0,lazy_journal_init=0', loop]);
  await must('mount', ['-t', 'ext4', loop, file('disk')]);
  stack.defer(async () => void (await run('umount', ['--lazy', file('disk')])));
  const flushed = flushedImage(file('log'), file('flushed'));
  const owned = stack.move();
  return {
    path: file('disk'),
    position: () => statSync(file('log')).size,
    after: async (position, survives) => {
      const later = flushed.advance(position);
      copyFileSync(file('flushed'), file('cut'));
      apply(
        file('log'),
        file('cut'),
        later.filter(() => survives()),
      );
      // Mounting recovers the journal.
      await must('mount', ['-t', 'ext4', '-o', 'loop', file('cut'), file('after')]);
      return {
        path: file('after'),
        [Symbol.asyncDispose]: async () => {
          await must('umount', [file('after')]);
          await must('e2fsck', ['-f', '-n', file('cut')]);
          await rm(file('cut'));
        },
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function failed(): never {
  throw new Error('qemu-storage-daemon did not start');
}

/** An image with all that the log has before the last flush so far. */
function flushedImage(log: string, image: string) {
  let read = SECTOR;
  let waiting: Entry[] = [];
  return {
    /** Returns the writes between the last flush before this position, and the position. */
    advance: (position: number): readonly Entry[] => {
      const found = entries(log, read, position);
      read = found.end;
      for (const entry of found.entries) {
        if (entry.flags & FLUSH) {
          apply(log, image, waiting);
          waiting = [];
        }
        if (entry.size > 0) waiting.push(entry);
      }
      return waiting;
    },
  };
}

function entries(log: string, from: number, to: number): { readonly entries: readonly Entry[]; readonly end: number } {
  const file = openSync(log, 'r');
  const head = Buffer.alloc(32);
  const found: Entry[] = [];
  let at = from;
  try {
    while (at + SECTOR <= to && readSync(file, head, 0, head.length, at) === head.length) {
      const [sector, sectors, flags] = [0, 8, 16].map((offset) => Number(head.readBigUInt64LE(offset)));
      if (sector === undefined || sectors === undefined || flags === undefined) break;
      const size = flags & DISCARD ? 0 : sectors * SECTOR;
      const isWhole = at + SECTOR + size <= to && (flags !== 0 || sectors !== 0);
      if (!isWhole) break;
      found.push({ flags, at: sector * SECTOR, from: at + SECTOR, size });
      at += SECTOR + size;
    }
  } finally {
    closeSync(file);
  }
  return { entries: found, end: at };
}

function apply(log: string, image: string, writes: readonly Entry[]): void {
  const [from, to] = [openSync(log, 'r'), openSync(image, 'r+')];
  try {
    for (const write of writes) {
      const bytes = Buffer.alloc(write.size);
      readSync(from, bytes, 0, write.size, write.from);
      writeSync(to, bytes, 0, write.size, write.at);
    }
  } finally {
    closeSync(from);
    closeSync(to);
  }
}

/** Whether such a disk can be made here; determined once. */
export const canLogDisk: boolean = process.getuid?.() === 0 && (await isMade());

async function isMade(): Promise<boolean> {
  try {
    await using _disk = await loggedDisk();
    return true;
  } catch {
    return false;
  }
}
