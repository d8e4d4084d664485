// What an entry of a tar archive is, whatever dialect wrote it (POSIX.1-2017 pax "ustar Interchange Format" and "pax Header").

export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

export interface TarEntry {
  /** As it is written: it may begin with `./` or `/`, or hold `..`. Who unpacks it decides what is safe. */
  readonly name: string;
  readonly type: TarEntryType;
  /** Bytes of `body`; 0 for all but files. */
  readonly size: number;
  /** Permission bits, set-id and sticky bits included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, with fractions where the archive has them. */
  readonly mtime: number;
  /** What a link points to; empty for the rest. */
  readonly linkname: string;
  /** Of a device; 0 for the rest. */
  readonly device: { readonly major: number; readonly minor: number };
  /** Every extended record that holds for this entry, values as they are: extended attributes are bytes. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  /** Can be read once, before the next entry is asked for; what is left of it then is skipped. */
  readonly body: AsyncIterable<Uint8Array>;
}
