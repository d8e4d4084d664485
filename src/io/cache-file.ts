// Small files of what is remembered between runs: what cannot be read or written is forgotten, and never an error.
import { readFile } from 'node:fs/promises';
import { writeFileAtomically } from './atomic-file.ts';

/** Its JSON; `undefined` where there is none, or a broken one. */
export async function readCacheFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A power cut may leave what was there before, or nothing. */
export async function writeCacheFile(path: string, value: object): Promise<void> {
  try {
    await writeFileAtomically(path, JSON.stringify(value), { durable: false });
  } catch {
    // A cache that cannot be written to is none.
  }
}
