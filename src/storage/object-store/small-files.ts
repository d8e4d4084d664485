// Small files that this process has read lately: one stat says whether they are still the same. Other processes may write to them at any time, also in place.
import type { Stats } from 'node:fs';

/** What is counted of them, for whoever watches: the caller's own object, which only grows. */
export interface SmallFileCounts {
  /** Read out of this memory. */
  hits: number;
  /** Read from the file system. */
  misses: number;
  /** In bytes: what they take. */
  bytes: number;
}

export interface SmallFiles {
  /** In bytes: what all of them take. */
  readonly size: number;
  /** Whether anything is remembered of the file, the same or not. */
  has(path: string): boolean;
  /** The bytes, if the file is as it was when they were read. Always the same memory, which nobody writes to. */
  get(path: string, found: Stats): Uint8Array | undefined;
  /** `found` was seen before the bytes were read. */
  keep(path: string, found: Stats, bytes: Uint8Array): void;
}

/** In bytes: all files together, and what is counted for the name of each. */
const MOST = 32 * 1024 * 1024;
const NAME = 512;
/** In milliseconds. File systems record changes in ticks of their clock, so a change right after another one might not show. */
const SETTLED = 2000;

interface Kept {
  readonly found: Stats;
  readonly bytes: Uint8Array;
}

export function smallFiles(most = MOST): SmallFiles {
  /** By path; those that were asked for last come last. */
  const kept = new Map<string, Kept>();
  let size = 0;

  function forget(path: string, { bytes }: Kept): void {
    kept.delete(path);
    size -= bytes.length + NAME;
  }

  return {
    get size() {
      return size;
    },
    has: (path) => kept.has(path),
    get: (path, found) => {
      const file = kept.get(path);
      if (!file) return undefined;
      if (!isSame(file.found, found)) {
        forget(path, file);
        return undefined;
      }
      // Moved to the end only once the memory fills up, because moving costs more than the look-up.
      if (size > most / 2) {
        kept.delete(path);
        kept.set(path, file);
      }
      return file.bytes;
    },
    keep: (path, found, bytes) => {
      const former = kept.get(path);
      if (former) forget(path, former);
      if (Date.now() - found.ctimeMs < SETTLED) return;
      kept.set(path, { found, bytes });
      size += bytes.length + NAME;
      for (const [oldest, file] of kept) {
        if (size <= most) break;
        forget(oldest, file);
      }
    },
  };
}

/** Nobody can set the time of the last change (ctime), so it shows each write. */
function isSame(a: Stats, b: Stats): boolean {
  return a.ctimeMs === b.ctimeMs && a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs && a.dev === b.dev;
}
