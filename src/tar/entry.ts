// What an entry of a tar archive is, whatever dialect wrote it (POSIX.1-2017 pax "ustar Interchange Format" and "pax Header").
import type { TarTime } from './time.ts';

export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/** A piece of a sparse file that is no hole, in bytes. */
export interface SparsePiece {
  readonly offset: number;
  readonly length: number;
}

/** What a header says. Names are text as names.ts makes it: bytes that are no UTF-8 come back as they were. */
export interface TarHeader {
  /** As it is written: it may begin with `./` or `/`, or hold `..`. Who unpacks it decides what is safe. */
  readonly name: string;
  readonly type: TarEntryType;
  /** Bytes of the file, its holes included; 0 for all but files. */
  readonly size: number;
  /** Permission bits, set-id and sticky bits included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: TarTime;
  /** What a link points to; empty for the rest. */
  readonly linkname: string;
  /** Of a device; 0 for the rest. */
  readonly device: { readonly major: number; readonly minor: number };
  /** Extended attributes by name, without the prefix that archives give them: `security.capability`. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Of a sparse file: its pieces, in their order. The archive holds only these. */
  readonly sparse?: readonly SparsePiece[];
}

export interface TarEntry extends TarHeader {
  /** Every extended record that holds for this entry, values as they are. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  /**
   * Where it stands in the archive, in bytes: `head` is its first header block (extended headers included), `body` its first content byte,
   * `end` where its padding ends. Of a GNU 1.0 sparse file the map counts to the head.
   */
  readonly position: { readonly head: number; readonly body: number; readonly end: number };
  /** The file's content, holes as zeros. Can be read once, before the next entry is asked for; what is left of it then is skipped. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Instead of `body`: what the archive holds of it, so without holes. */
  readonly stored: StoredBytes;
}

export interface StoredBytes extends AsyncIterable<Uint8Array> {
  /** All of it, where it is in memory already: most files of a layer are small, and need not be waited for. */
  whole(): Uint8Array | undefined;
}
