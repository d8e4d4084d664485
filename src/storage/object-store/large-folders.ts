// Sorted names in folders. Those of large folders are cached while the folder is unchanged: each page of a list would read and sort all of them otherwise.
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';

/** The number of names from which a folder is cached. */
const LARGE = 1000;
/** The number of names in the cache, over all folders. */
const MOST = 500_000;
/** In milliseconds. File systems record changes in ticks of their clock, so a change right after another one might not show. */
const SETTLED = 2000;

interface Kept {
  readonly version: string;
  readonly names: readonly string[];
}

/** State: the lists of folders that were read last. */
export class LargeFolders {
  /** `undefined` for a folder that was seen to be large once. */
  readonly #kept = new Map<string, Kept | undefined>();
  #count = 0;

  /** Names of subfolders end with `/`. Errors: those of the file system. */
  async names(path: string): Promise<readonly string[]> {
    if (!this.#kept.has(path)) {
      const names = await read(path);
      if (names.length >= LARGE) this.#keep(path, undefined);
      return names;
    }
    const { ino, mtimeNs, ctimeNs, mtimeMs } = await stat(path, { bigint: true });
    // Restoring a store may set times back, so times alone are not enough: the inode and the ctime count, too.
    const version = `${ino} ${mtimeNs} ${ctimeNs}`;
    const kept = this.#kept.get(path);
    if (kept?.version === version) return kept.names;
    const names = await read(path);
    if (names.length < LARGE) this.#forget(path);
    else this.#keep(path, Date.now() - Number(mtimeMs) > SETTLED ? { version, names } : undefined);
    return names;
  }

  #keep(path: string, kept: Kept | undefined): void {
    this.#forget(path);
    this.#kept.set(path, kept);
    this.#count += kept?.names.length ?? 1;
    for (const oldest of this.#kept.keys()) {
      if (this.#count <= MOST || oldest === path) break;
      this.#forget(oldest);
    }
  }

  #forget(path: string): void {
    if (!this.#kept.has(path)) return;
    this.#count -= this.#kept.get(path)?.names.length ?? 1;
    this.#kept.delete(path);
  }
}

async function read(path: string): Promise<readonly string[]> {
  return namesInFolder(await readdir(path, { withFileTypes: true }));
}

/** Names of folders end with `/`. */
export function namesInFolder(found: readonly Dirent[]): readonly string[] {
  return found.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort(byBytes);
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
