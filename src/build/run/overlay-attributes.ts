// The extended attributes that overlayfs reserves: with the prefix `trusted.` or, if mounted in a user namespace, `user.` (filesystems/overlayfs.rst).
import type { TarHeader } from '../../tar/entry.ts';

const OWN = /^(?:trusted|user)\.overlay\./;
/** Security labels of the machine, which are not part of an image. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(['security.selinux', 'security.ima', 'security.evm']);

export function opaqueAttribute(inUserNamespace: boolean): string {
  return inUserNamespace ? 'user.overlay.opaque' : 'trusted.overlay.opaque';
}

/** Removes the attributes of overlayfs and of this machine: an image must not control an overlay mount, and overlayfs' attributes must not get into an image. */
export function imageAttributes(xattrs: TarHeader['xattrs']): TarHeader['xattrs'] {
  if (xattrs.size === 0) return xattrs;
  return new Map([...xattrs].filter(([name]) => !OWN.test(name) && !OF_THE_MACHINE.has(name)));
}

export function isOpaque(xattrs: TarHeader['xattrs']): boolean {
  return ['trusted.overlay.opaque', 'user.overlay.opaque'].some((name) => xattrs.get(name)?.[0] === 0x79);
}
