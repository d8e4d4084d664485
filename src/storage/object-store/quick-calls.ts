// When a file may be looked at without the thread pool. What the kernel has in memory answers within microseconds, and handing a call to another thread costs
// ten times as much. But a call that waits for a disk keeps all clients waiting. So such calls are made
// - only on file systems of this machine, never on those of a network or of another process (FUSE), which may not answer at all;
// - only for metadata, and for small content that was written seconds ago, or is being written: other content is read by the thread pool, and remembered
//   (small-files.ts);
// - after a call that has waited for the disk, not for `REST` times as long as it waited. So clients wait for at most a fiftieth of the time, however slow the disk is.
// A command that serves nobody reads all like this where the file system is of this machine (`alone`). What changes names may wait for the file system's journal, so
// it is not done like this by commands: by the thread pool, several wait at a time. A server does it while it is quick, because handing a small push's calls to other threads costs more than
// the calls.
import { readFileSync, statfs, statfsSync } from 'node:fs';

export interface QuickCalls {
  /** Whether a synchronous call for metadata is allowed now. */
  allowed(): boolean;
  /** Whether synchronous calls that read content, or large folders, are allowed as well. */
  allAllowed(): boolean;
  /** Makes a synchronous call and measures how long it took. To be used if `allowed` returns true. */
  run<T>(call: () => T): T;
}

export interface QuickCallsOptions {
  /** In milliseconds: a call that took longer, not counting its wait for a processor, has waited for the disk. Default: 20. */
  readonly verySlow?: number;
  /** Nobody is kept waiting by a call that waits for the disk. */
  readonly alone?: boolean;
  /** Milliseconds since some time. */
  readonly now?: () => number;
  /** How much this process has read from disks since it started, in any unit. */
  readonly readFromDisk?: () => number;
  /** For how many milliseconds, since it started, this thread was ready to run and waited for a processor. */
  readonly waitedForProcessor?: () => number;
}

/** Magic numbers (statfs(2)) of ext2 to ext4, XFS, Btrfs, tmpfs, overlayfs, F2FS, ZFS, bcachefs, SquashFS, EROFS, ISO 9660, the root of an initramfs. */
const LOCAL: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0xf2f52010, 0x2fc12fc1, 0xca451a4e, 0x73717368, 0xe0f5e1e2,
  0x9660, 0x858458f6,
]);

/** In milliseconds. A call that takes longer has waited for the disk, or this process has waited for a processor. */
const SLOW = 1;
/**
 * In milliseconds. A call that took longer than this, not counting its wait for a processor, has waited for the disk although nothing was read: another process
 * may be writing to the folder.
 */
const VERY_SLOW = 20;
/** The same for writes: where much is not on disk yet, the kernel makes each writer wait for some milliseconds. */
export const SLOW_WRITE = 2;
const REST = 50;
/** In milliseconds, between looks at a directory that is not there yet. */
const LOOK_AGAIN = 1000;

/** For files below `directory`. */
export function quickCalls(directory: string, options: QuickCallsOptions = {}): QuickCalls {
  const { alone = false, now = clock, readFromDisk = () => process.resourceUsage().fsRead } = options;
  const { waitedForProcessor = waitOfThread, verySlow = VERY_SLOW } = options;
  let isLocal: boolean | undefined;
  let lookAt = Number.NEGATIVE_INFINITY;
  let restsUntil = Number.NEGATIVE_INFINITY;
  let readBefore: number | undefined;
  let waitedBefore = 0;

  function look(): void {
    const time = now();
    if (time < lookAt) return;
    lookAt = time + LOOK_AGAIN;
    if (alone) {
      isLocal = isLocalAtOnce(directory);
      return;
    }
    // What was read, and waited for, before the first call is none of its own.
    readBefore ??= readFromDisk();
    waitedBefore ||= waitedForProcessor();
    statfs(directory, (error, found) => {
      if (!error) isLocal = LOCAL.has(found.type);
    });
  }

  function wasSlow(taken: number): void {
    const read = readFromDisk();
    const waited = waitedForProcessor();
    // On a busy machine, a thread may wait for a processor during any call. That says nothing about the disk.
    const isDisk = read !== readBefore || taken - (waited - waitedBefore) > verySlow;
    readBefore = read;
    waitedBefore = waited;
    if (isDisk) restsUntil = now() + REST * taken;
  }

  function isOnMachine(): boolean {
    if (isLocal === undefined) look();
    return isLocal === true;
  }

  return {
    allowed: () => isOnMachine() && (alone || restsUntil === Number.NEGATIVE_INFINITY || now() > restsUntil),
    allAllowed: () => alone && isOnMachine(),
    run: (call) => {
      if (alone) return call();
      const begun = now();
      try {
        return call();
      } finally {
        const taken = now() - begun;
        if (taken > SLOW) wasSlow(taken);
      }
    },
  };
}

/** `undefined` if the directory is not there. */
function isLocalAtOnce(directory: string): boolean | undefined {
  try {
    return LOCAL.has(statfsSync(directory).type);
  } catch {
    return undefined;
  }
}

/** Linux, Documentation/scheduler/sched-stats.rst: the second number, in nanoseconds. 0 if the kernel does not tell. */
function waitOfThread(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ')[1]) / 1e6 || 0;
  } catch {
    return 0;
  }
}

/** Not `performance`: short commands would load it for this alone. */
function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
