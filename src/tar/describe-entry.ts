// Combines a header with its extended records into the description of an entry. Where the format is ambiguous, it follows GNU tar and Go.
import { ImagesError } from '../oci/errors.ts';
import type { TarEntryType, TarHeader } from './entry.ts';
import type { Header } from './header.ts';
import { decodeName, printableName } from './names.ts';
import { type Records, recordNumber, recordText } from './pax-records.ts';
import { parseTime, type TarTime, wholeSeconds } from './time.ts';

const TYPES: Readonly<Record<string, TarEntryType>> = {
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  // A directory in an incremental backup; its content lists the names in it.
  D: 'directory',
};
/** The type flag of files in v7 archives, which know no other. */
const V7_FILE = '\0';
const SCHILY = 'SCHILY.xattr.';
const LIBARCHIVE = 'LIBARCHIVE.xattr.';
const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();

export interface Description extends TarHeader {
  /** Bytes in the archive after the header, without padding. */
  readonly stored: number;
}

/** Errors: TAR_INVALID. */
export function describeEntry(header: Header, records: Records): Description {
  if (header.typeflag === 'M')
    throw new ImagesError('TAR_INVALID', `a file that another volume begins [${printableName(header.name)}]`, {
      hint: 'Archives of several volumes are not read: join them with GNU tar first.',
    });
  const hasRecords = records.size > 0;
  const name = (hasRecords && recordText(records, 'path')) || header.name;
  const type = typeOf(header.typeflag, name);
  const stored = contentSize(header, records, type);
  if (stored < 0) throw new ImagesError('TAR_INVALID', `not the size of a file [${stored}]`);
  return {
    name,
    type,
    size: type === 'file' ? stored : 0,
    mode: header.mode,
    uid: (hasRecords ? recordNumber(records, 'uid') : undefined) ?? header.uid,
    gid: (hasRecords ? recordNumber(records, 'gid') : undefined) ?? header.gid,
    mtime: (hasRecords ? recordTime(records, 'mtime') : undefined) ?? wholeSeconds(header.mtime),
    linkname: linknameOf(header, records, type),
    device: header.device,
    xattrs: hasRecords ? xattrsOf(records) : NO_XATTRS,
    stored,
  };
}

/** Unknown types are files (POSIX.1-2017). In v7 archives a directory is a file whose name ends in a slash. */
function typeOf(typeflag: string, name: string): TarEntryType {
  const type = TYPES[typeflag];
  if (type !== undefined) return type;
  return name.endsWith('/') && typeflag !== 'S' ? 'directory' : 'file';
}

/**
 * Links, devices and directories have no content, whatever their headers say: for a link some programs write the size of the file that it names, and old
 * programs write a size for directories. A type that was invented later may have content: it is skipped, as in Go.
 */
function contentSize(header: Header, records: Records, type: TarEntryType): number {
  if (type === 'directory' && header.typeflag === V7_FILE) return 0;
  if (type === 'file' || !(header.typeflag in TYPES) || header.typeflag === 'D')
    return recordNumber(records, 'size') ?? header.size;
  return 0;
}

function linknameOf(header: Header, records: Records, type: TarEntryType): string {
  if (type !== 'symlink' && type !== 'hardlink') return '';
  return recordText(records, 'linkpath') ?? header.linkname;
}

function recordTime(records: Records, key: string): TarTime | undefined {
  const text = recordText(records, key);
  if (text === undefined) return undefined;
  const time = parseTime(text);
  if (!time) throw new ImagesError('TAR_INVALID', `not a time for ${key} in a tar archive [${printableName(text)}]`);
  return time;
}

/** Extended attributes as star writes them (raw bytes; an empty value is one, too) and as libarchive does (names percent-encoded, values in base64). */
function xattrsOf(records: Records): ReadonlyMap<string, Uint8Array> {
  let xattrs: Map<string, Uint8Array> | undefined;
  for (const [key, value] of records) {
    if (key.startsWith(SCHILY)) {
      xattrs ??= new Map();
      // Copied, so that the attribute does not keep the whole chunk in memory.
      xattrs.set(key.slice(SCHILY.length), Uint8Array.from(value));
    } else if (key.startsWith(LIBARCHIVE)) {
      const name = percentDecoded(key.slice(LIBARCHIVE.length));
      if (records.has(SCHILY + name)) continue;
      xattrs ??= new Map();
      xattrs.set(name, Buffer.from(Buffer.from(value).toString('latin1'), 'base64'));
    }
  }
  return xattrs ?? NO_XATTRS;
}

function percentDecoded(text: string): string {
  if (!text.includes('%')) return text;
  const bytes = Buffer.from(text).toString('latin1');
  const decoded = bytes.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return decodeName(Buffer.from(decoded, 'latin1'));
}
