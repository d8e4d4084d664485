// An entry of a tar archive, independent of the dialect (POSIX.1-2017 pax "ustar Interchange Format" and "pax Header").
import type { TarTime } from './time.ts';

export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/** A piece of a sparse file that holds data. Offset and length are in bytes. */
export interface SparsePiece {
  readonly offset: number;
  readonly length: number;
}

/** The metadata of an entry. Names are strings as names.ts decodes them, so names that are not UTF-8 survive as well. */
export interface TarHeader {
  /** As it is in the archive: it may begin with `./` or `/` and contain `..`. Code that unpacks it decides what is safe. */
  readonly name: string;
  readonly type: TarEntryType;
  /** Size of the file in bytes, including its holes; 0 for everything that is not a file. */
  readonly size: number;
  /** Permission bits, including set-id and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: TarTime;
  /** The target of a link; empty for everything else. */
  readonly linkname: string;
  /** Numbers of a device; 0 for everything else. */
  readonly device: { readonly major: number; readonly minor: number };
  /** Extended attributes by name, without the prefix used in archives: `security.capability`. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** The pieces of a sparse file, in order. The archive holds only these. */
  readonly sparse?: readonly SparsePiece[];
}

export interface TarEntry extends TarHeader {
  /** All extended records for this entry; their values are raw bytes. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  /**
   * Offsets in the archive, in bytes: `head` of the first header block (of the extended headers, if there are any), `body` of the first content byte,
   * `end` of the end of the padding. In a GNU 1.0 sparse file the map counts as header.
   */
  readonly position: { readonly head: number; readonly body: number; readonly end: number };
  /** The content, with zeros for holes. It can be read once, before the next entry is requested; what has not been read by then is skipped. */
  readonly body: AsyncIterable<Uint8Array>;
  /** An alternative to `body`: the bytes in the archive, without holes. */
  readonly stored: StoredBytes;
}

export interface StoredBytes extends AsyncIterable<Uint8Array> {
  /** The whole content, if it is in memory already; else `undefined`. Most files of a layer are small, and this saves waiting for them. */
  whole(): Uint8Array | undefined;
}
