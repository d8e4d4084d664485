// Headers of a layer's files as they stand unpacked for overlayfs (kernel documentation, filesystems/overlayfs.rst, "whiteouts and opaque directories"):
// a whiteout is a character device 0:0, an opaque directory has an extended attribute.
import { ImagesError } from '../oci/errors.ts';
import type { TarHeader } from '../tar/entry.ts';
import { encodeName, printableName } from '../tar/names.ts';
import { plainHeader } from '../tar/plain-header.ts';
import type { TarTime } from '../tar/time.ts';

export interface OverlayPlace {
  /** Where the layer's root is in the archive that is written: `overlay/ID/diff`. */
  readonly directory: string;
  /** The attribute is `user.overlay.opaque`: for mounts with `userxattr`, in user namespaces. */
  readonly userXattr?: boolean;
  /** The root of the layer below: what the driver gives the layer's own where it has no entry. */
  readonly rootBelow?: RootDirectory;
}

export type RootDirectory = Pick<TarHeader, 'mode' | 'uid' | 'gid'>;

/** Of a layer with nothing below. */
const ROOT: RootDirectory = { mode: 0o555, uid: 0, gid: 0 };

/**
 * What overlayfs and its helpers keep in attributes of their own: a layer must not decide how it is mounted, nor make root's tools use fuse.
 * SELinux's labels are the machine's.
 */
const FORBIDDEN_XATTR = /^(?:(?:trusted|user)\.overlay\.|user\.containers\.|security\.selinux$)/;
const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();
const OPAQUE = Buffer.from('y');

/** What Linux takes (limits.h: NAME_MAX, PATH_MAX without its NUL), in bytes. */
const [MAX_NAME, MAX_PATH] = [255, 4095];
const SLASH = 0x2f;
/** A character is three bytes at most, or two are four. */
const SHORT = MAX_NAME / 3;

/** Of a file, link or device at `path`. A hard link's target is a path in the layer too. Errors: TAR_INVALID for names that no file can have. */
export function placedHeader(header: TarHeader, path: string, { directory }: OverlayPlace): TarHeader {
  const { type, size, mode, uid, gid, mtime, device, sparse } = header;
  const linkname = type === 'hardlink' ? `${directory}/${header.linkname}` : header.linkname;
  const xattrs = allowed(header.xattrs);
  const name = `${directory}/${path}`;
  if (path.length > SHORT) checkLength(name);
  if (linkname.length > SHORT && type === 'symlink') checkTarget(linkname);
  return { name, type, size, mode, uid, gid, mtime, linkname, device, xattrs, ...(sparse && { sparse }) };
}

/** It could be written, and not be unpacked. */
function checkLength(name: string): void {
  const bytes = encodeName(name);
  if (bytes.length > MAX_PATH) throw tooLong('a path', name, MAX_PATH);
  for (let from = 0; from < bytes.length; ) {
    const slash = bytes.indexOf(SLASH, from);
    const to = slash < 0 ? bytes.length : slash;
    if (to - from > MAX_NAME) throw tooLong('a name', name, MAX_NAME);
    from = to + 1;
  }
}

function checkTarget(target: string): void {
  if (encodeName(target).length > MAX_PATH) throw tooLong("a symbolic link's target", target, MAX_PATH);
}

function tooLong(what: string, name: string, most: number): ImagesError {
  const shown = printableName(name.length > 100 ? `…${name.slice(-100)}` : name);
  return new ImagesError('TAR_INVALID', `${what} of more than ${most} bytes [${shown}]`, {
    hint: 'No VM could unpack it: build the image with shorter names.',
  });
}

export function hardLink(path: string, target: string, place: OverlayPlace, like: TarHeader): TarHeader {
  const { sparse: _, ...plain } = like;
  return placedHeader({ ...plain, type: 'hardlink', size: 0, linkname: target, xattrs: NO_XATTRS }, path, place);
}

/** `path` is empty for the layer's root. */
export function directoryHeader(
  header: TarHeader | undefined,
  { path, opaque }: { readonly path: string; readonly opaque: boolean },
  place: OverlayPlace,
): TarHeader {
  const known = header ?? (path === '' ? impliedRoot(place) : impliedDirectory(0o755));
  const placed = placedHeader(known, path === '' ? '' : `${path}/`, place);
  if (!opaque) return placed;
  const key = place.userXattr ? 'user.overlay.opaque' : 'trusted.overlay.opaque';
  return { ...placed, xattrs: new Map([...placed.xattrs, [key, OPAQUE]]) };
}

export function impliedRoot({ rootBelow = ROOT }: OverlayPlace): TarHeader {
  const { mode, uid, gid } = rootBelow;
  return { ...impliedDirectory(mode), uid, gid };
}

export function whiteoutHeader(path: string, like: TarHeader | undefined, place: OverlayPlace): TarHeader {
  const { uid, gid, mtime } = like ?? impliedDirectory(0);
  const plain = { ...impliedDirectory(0), type: 'character', uid, gid, mtime } as const;
  return placedHeader(plain, path, place);
}

/** Some programs warn of the year 1970 itself. */
export const LONG_AGO: TarTime = { seconds: 1, nanoseconds: 0 };

/** Root's, of no date: what no layer describes. */
export function impliedDirectory(mode: number): TarHeader {
  return plainHeader({ name: '', type: 'directory', mode, mtime: LONG_AGO });
}

function allowed(xattrs: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> {
  if (xattrs.size === 0) return xattrs;
  const kept = [...xattrs].filter(([name]) => !FORBIDDEN_XATTR.test(name));
  return kept.length === xattrs.size ? xattrs : new Map(kept);
}
