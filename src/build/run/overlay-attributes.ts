// What overlayfs keeps for itself in extended attributes, with `trusted.` or, mounted in a user namespace, `user.` in front (filesystems/overlayfs.rst).
import type { TarHeader } from '../../tar/entry.ts';

const OWN = /^(?:trusted|user)\.overlay\./;
/** Labels belong to the machine, not to the image. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(['security.selinux', 'security.ima', 'security.evm']);

export function opaqueAttribute(inUserNamespace: boolean): string {
  return inUserNamespace ? 'user.overlay.opaque' : 'trusted.overlay.opaque';
}

/** Without those of overlayfs and of this machine: an image must not say what an overlay shows, nor an overlay show up in an image. */
export function imageAttributes(xattrs: TarHeader['xattrs']): TarHeader['xattrs'] {
  if (xattrs.size === 0) return xattrs;
  return new Map([...xattrs].filter(([name]) => !OWN.test(name) && !OF_THE_MACHINE.has(name)));
}

export function isOpaque(xattrs: TarHeader['xattrs']): boolean {
  return ['trusted.overlay.opaque', 'user.overlay.opaque'].some((name) => xattrs.get(name)?.[0] === 0x79);
}
