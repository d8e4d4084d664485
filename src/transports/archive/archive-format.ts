// The format of files in the archives that are written here: owner root, date 1970, so that equal images give equal bytes. Pure.
import { plainHeader } from '../../tar/plain-header.ts';
import { endOfArchive, padding, tarHeader } from '../../tar/writer.ts';

/** A file that is held in memory. */
export interface SmallFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export const END: Uint8Array = endOfArchive();

export function archiveHeader(path: string, size: number): Uint8Array {
  return tarHeader(plainHeader({ name: path, type: 'file', size, mode: 0o644 }));
}

/** The size of a body with its padding, in bytes. */
export function paddedSize(size: number): number {
  return size + padding(size).length;
}

export function smallFileBytes({ path, bytes }: SmallFile): Uint8Array {
  return Buffer.concat([archiveHeader(path, bytes.length), bytes, padding(bytes.length)]);
}
