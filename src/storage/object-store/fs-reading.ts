// How files of a store in a directory are looked at and read. What is in the kernel's memory, or in this process's, is answered without the thread pool.
import { type Stats, statSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { readSmallFile, readSmallFileAtOnce } from '../../io/files/whole-file.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import type { Range } from '../blobs.ts';
import type { ObjectInfo } from '../objects.ts';
import { unlessAbsent } from './fs-absence.ts';
import type { QuickCalls } from './quick-calls.ts';
import { type SmallFileCounts, smallFiles } from './small-files.ts';

export interface FsReading {
  /** `undefined` if there is no such file. */
  info(key: string, path: string): Promise<ObjectInfo | undefined>;
  /** What is remembered of the file, if that is allowed to be looked at now and unchanged. */
  kept(path: string): Uint8Array | undefined;
  /** False if that is not known at once. */
  isSurelyAbsent(path: string): boolean;
  /** `undefined` if there is no such file. */
  content(path: string, range: Range | undefined): Promise<Bytes | undefined>;
}

/** In bytes: links, marks, manifests and configs are read whole. */
const SMALL = 64 * 1024;
/** In milliseconds: what was written so recently is still in the kernel's memory. */
const FRESH_MS = 10_000;
const NO_ERROR = { throwIfNoEntry: false } as const;

export function fsReading(quick: QuickCalls, counts: SmallFileCounts = { hits: 0, misses: 0, bytes: 0 }): FsReading {
  const small = smallFiles();
  const hit = (bytes: Uint8Array) => {
    counts.hits += 1;
    return bytes;
  };
  const keep: typeof small.keep = (path, found, bytes) => {
    small.keep(path, found, bytes);
    counts.bytes = small.size;
  };

  const look = (path: string) => quick.run(() => statSync(path, NO_ERROR));

  /** False for an error: who asks in the usual way gets it. */
  const lookSafely = (path: string) => {
    try {
      return look(path);
    } catch {
      return false;
    }
  };

  /** A small file is read again only if a look at it shows another one. */
  async function contentOf(path: string, range: Range): Promise<Bytes | undefined> {
    if (quick.allowed()) {
      const found = look(path);
      if (!found?.isFile()) return undefined;
      const kept = small.get(path, found);
      if (kept) return oneChunk(partOf(hit(kept), range));
      const isFresh = Math.abs(Date.now() - found.ctimeMs) < FRESH_MS;
      if ((isFresh || quick.allAllowed()) && found.size <= SMALL) {
        const file = quick.run(() => readSmallFileAtOnce(path, SMALL));
        if (file?.bytes && isFresh) keep(path, file.found, file.bytes);
        if (file?.bytes) {
          counts.misses += 1;
          return oneChunk(partOf(file.bytes, range));
        }
      }
    }
    const file = await readSmallFile(path, SMALL);
    if (!file) return undefined;
    if (file.bytes) {
      counts.misses += 1;
      keep(path, file.found, file.bytes);
      return oneChunk(partOf(file.bytes, range));
    }
    const handle = await open(path, 'r');
    return await readFileBytes(handle, { ...range, close: true });
  }

  return {
    info: async (key, path) => {
      const found = await unlessAbsent(async () => (quick.allowed() ? look(path) : await stat(path)));
      return found?.isFile() ? infoFrom(key, found) : undefined;
    },
    kept: (path) => {
      const found = small.has(path) && quick.allowed() ? lookSafely(path) : undefined;
      const bytes = found ? small.get(path, found) : undefined;
      return bytes && hit(bytes);
    },
    isSurelyAbsent: (path) => quick.allowed() && lookSafely(path) === undefined,
    content: (path, range = {}) => unlessAbsent(() => contentOf(path, range), 'EISDIR'),
  };
}

function infoFrom(key: string, found: Stats): ObjectInfo {
  return {
    key,
    size: found.size,
    // Made when it is asked for: the first Date of a process reads the time zone.
    get modified() {
      return found.mtime;
    },
    version: `${found.ino}-${found.size}-${found.mtimeMs}`,
  };
}

/** A whole object keeps its memory, so that its readers can see that they know it. */
function partOf(bytes: Uint8Array, { from = 0, to }: Range): Uint8Array {
  return from === 0 && to === undefined ? bytes : bytes.subarray(from, to);
}
