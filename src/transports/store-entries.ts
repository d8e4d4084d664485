// The entries for a store's own files and directories in its archive: owner root, a fixed date, so that equal stores are equal bytes. Pure.
import type { TarHeader } from '../tar/entry.ts';
import { plainHeader } from '../tar/plain-header.ts';
import { padding, tarHeader } from '../tar/writer.ts';

/** Some programs warn about the time 0. */
const MTIME = { seconds: 1, nanoseconds: 0 };

export function directoryEntry(name: string, mode: number): Uint8Array {
  return tarHeader(header({ name: `${name}/`, type: 'directory', mode }));
}

export function symlinkEntry(name: string, linkname: string): Uint8Array {
  return tarHeader(header({ name, type: 'symlink', mode: 0o777, linkname }));
}

/** The header of a file. Content and padding follow it. */
export function fileHeader(name: string, size: number, mode: number): Uint8Array {
  return tarHeader(header({ name, type: 'file', mode, size }));
}

export function fileEntry(name: string, content: string | Uint8Array, mode: number): readonly Uint8Array[] {
  const bytes = Buffer.from(content);
  return [fileHeader(name, bytes.length, mode), bytes, padding(bytes.length)];
}

function header(own: Pick<TarHeader, 'name' | 'type' | 'mode'> & Partial<TarHeader>): TarHeader {
  return plainHeader({ mtime: MTIME, ...own });
}
