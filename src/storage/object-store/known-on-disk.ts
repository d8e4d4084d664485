// What a process knows to be on disk, and need not sync again.
import type { Stats } from 'node:fs';

export interface KnownOnDisk {
  /** What could not be synced, and why, until it is written anew: the kernel tells that only once, and a second sync would succeed. */
  readonly lost: Map<string, unknown>;
  /** Names. */
  readonly settled: Set<string>;
  /** Names that are just being synced. Those that change meanwhile are taken out. */
  readonly settling: Set<Set<string>>;
  /** By path: which file is known to be on disk with its content, as `versionOf` tells. */
  readonly contents: Map<string, string>;
}

/** How many names are remembered as durable; others are synced again. */
export const MOST_SETTLED = 20_000;

/** `undefined`: nothing is known of it. */
export function know({ contents }: KnownOnDisk, path: string, version: string | undefined): void {
  if (contents.size > MOST_SETTLED) contents.clear();
  if (version === undefined) contents.delete(path);
  else contents.set(path, version);
}

/** Nobody can set the time of the last change (ctime), so it shows each write, also of other processes. */
export function versionOf({ ino, size, ctimeMs, dev }: Stats): string {
  return `${dev}-${ino}-${size}-${ctimeMs}`;
}
