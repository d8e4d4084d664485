// Headers as plain values: one with defaults, and a copy of one without the rest of its entry. Pure.
import type { TarHeader } from './entry.ts';

const NO_DEVICE: TarHeader['device'] = { major: 0, minor: 0 };
const NO_TIME: TarHeader['mtime'] = { seconds: 0, nanoseconds: 0 };
const NO_XATTRS: TarHeader['xattrs'] = new Map();

/** A header with the given fields. By default: size 0, owner root, time 1970-01-01. */
export function plainHeader(given: Pick<TarHeader, 'name' | 'type' | 'mode'> & Partial<TarHeader>): TarHeader {
  return { size: 0, uid: 0, gid: 0, mtime: NO_TIME, linkname: '', device: NO_DEVICE, xattrs: NO_XATTRS, ...given };
}

/** Copies the header fields of an entry, so that keeping them does not keep the entry's records and its stream in memory. */
export function onlyHeader(entry: TarHeader): TarHeader {
  const { name, type, size, mode, uid, gid, mtime, linkname, device, xattrs, sparse } = entry;
  return { name, type, size, mode, uid, gid, mtime, linkname, device, xattrs, ...(sparse && { sparse }) };
}
