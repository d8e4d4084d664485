// Headers of unpacked layers for overlayfs (kernel documentation, filesystems/overlayfs.rst, "whiteouts and opaque directories"):
// a whiteout is a character device 0:0, and an opaque directory has an extended attribute.
import { ImagesError } from '../oci/errors.ts';
import type { TarHeader } from '../tar/entry.ts';
import { encodeName, printableName } from '../tar/names.ts';
import { plainHeader } from '../tar/plain-header.ts';
import type { TarTime } from '../tar/time.ts';

export interface OverlayOptions {
  /** The directory of the layer in the archive: `overlay/ID/diff`. */
  readonly directory: string;
  /** Uses the attribute `user.overlay.opaque`, for mounts with `userxattr` in user namespaces. */
  readonly userXattr?: boolean;
  /** The root of the layer below. The driver uses it for a layer that has no entry for its root. */
  readonly rootBelow?: RootDirectory;
  /** Opaque directories get no attribute, because everything they hide has a whiteout of its own, and no `trusted.*` attribute is left. */
  readonly onlyDevices?: boolean;
}

export type RootDirectory = Pick<TarHeader, 'mode' | 'uid' | 'gid'>;

/** For a layer with nothing below. */
const ROOT: RootDirectory = { mode: 0o555, uid: 0, gid: 0 };

/**
 * Attributes that overlayfs and its helpers use themselves. A layer must not decide how it is mounted, nor make tools that run as root use fuse.
 * SELinux labels belong to the machine.
 */
const FORBIDDEN_XATTR = /^(?:(?:trusted|user)\.overlay\.|user\.containers\.|security\.selinux$)/;
const FORBIDDEN_OR_TRUSTED = /^(?:trusted\.|user\.overlay\.|user\.containers\.|security\.selinux$)/;
const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();
const OPAQUE = Buffer.from('y');

/** Limits of Linux in bytes (limits.h: NAME_MAX; PATH_MAX without its NUL). */
const [MAX_NAME, MAX_PATH] = [255, 4095];
const SLASH = 0x2f;
/** A name of this length always fits, because a UTF-16 unit takes at most three bytes. */
const SHORT = MAX_NAME / 3;

/** The header of a file, link or device at `path`. The target of a hard link is a path in the layer, too. Errors: TAR_INVALID for impossible names. */
export function overlayHeader(header: TarHeader, path: string, options: OverlayOptions): TarHeader {
  const { directory, onlyDevices = false } = options;
  const { type, size, mode, uid, gid, mtime, device, sparse } = header;
  const linkname = type === 'hardlink' ? `${directory}/${header.linkname}` : header.linkname;
  const xattrs = allowed(header.xattrs, onlyDevices ? FORBIDDEN_OR_TRUSTED : FORBIDDEN_XATTR);
  const name = `${directory}/${path}`;
  if (path.length > SHORT) checkLength(name);
  if (linkname.length > SHORT && type === 'symlink') checkTarget(linkname);
  return { name, type, size, mode, uid, gid, mtime, linkname, device, xattrs, ...(sparse && { sparse }) };
}

/** Such a name could be written to the archive but not unpacked. */
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

export function hardLink(path: string, target: string, options: OverlayOptions, like: TarHeader): TarHeader {
  const { sparse: _, ...plain } = like;
  return overlayHeader({ ...plain, type: 'hardlink', size: 0, linkname: target, xattrs: NO_XATTRS }, path, options);
}

/** `path` is empty for the root of the layer. */
export function directoryHeader(
  header: TarHeader | undefined,
  { path, opaque }: { readonly path: string; readonly opaque: boolean },
  options: OverlayOptions,
): TarHeader {
  const known = header ?? (path === '' ? impliedRoot(options) : impliedDirectory(0o755));
  const directory = overlayHeader(known, path === '' ? '' : `${path}/`, options);
  if (!opaque || options.onlyDevices) return directory;
  const key = options.userXattr ? 'user.overlay.opaque' : 'trusted.overlay.opaque';
  return { ...directory, xattrs: new Map([...directory.xattrs, [key, OPAQUE]]) };
}

export function impliedRoot({ rootBelow = ROOT }: OverlayOptions): TarHeader {
  const { mode, uid, gid } = rootBelow;
  return { ...impliedDirectory(mode), uid, gid };
}

export function whiteoutHeader(path: string, like: TarHeader | undefined, options: OverlayOptions): TarHeader {
  const { uid, gid, mtime } = like ?? impliedDirectory(0);
  const plain = { ...impliedDirectory(0), type: 'character', uid, gid, mtime } as const;
  return overlayHeader(plain, path, options);
}

/** Not 0, because some programs warn about the time 1970-01-01 00:00:00. */
export const LONG_AGO: TarTime = { seconds: 1, nanoseconds: 0 };

/** A directory that no layer describes: owned by root, with no real date. */
export function impliedDirectory(mode: number): TarHeader {
  return plainHeader({ name: '', type: 'directory', mode, mtime: LONG_AGO });
}

function allowed(xattrs: ReadonlyMap<string, Uint8Array>, forbidden: RegExp): ReadonlyMap<string, Uint8Array> {
  if (xattrs.size === 0) return xattrs;
  const kept = [...xattrs].filter(([name]) => !forbidden.test(name));
  return kept.length === xattrs.size ? xattrs : new Map(kept);
}
