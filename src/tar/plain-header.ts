// Headers as values: one that says no more than it must, and one without the entry it came with. Pure.
import type { TarHeader } from './entry.ts';

const NO_DEVICE: TarHeader['device'] = { major: 0, minor: 0 };
const NO_TIME: TarHeader['mtime'] = { seconds: 0, nanoseconds: 0 };
const NO_XATTRS: TarHeader['xattrs'] = new Map();

/** Empty, root's, of 1970, but for what is given. */
export function plainHeader(given: Pick<TarHeader, 'name' | 'type' | 'mode'> & Partial<TarHeader>): TarHeader {
  return { size: 0, uid: 0, gid: 0, mtime: NO_TIME, linkname: '', device: NO_DEVICE, xattrs: NO_XATTRS, ...given };
}

/** The header alone: who keeps it keeps neither the entry's records nor what it is read from. */
export function onlyHeader(entry: TarHeader): TarHeader {
  const { name, type, size, mode, uid, gid, mtime, linkname, device, xattrs, sparse } = entry;
  return { name, type, size, mode, uid, gid, mtime, linkname, device, xattrs, ...(sparse && { sparse }) };
}
