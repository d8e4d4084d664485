// The effect of a hard link's header on its target. Docker, containerd and podman make the link and then set owner, mode, times and attributes through its
// name, so the last header of a file wins (moby pkg/archive, `createTarFile`). GNU tar and bsdtar leave the file unchanged.
import type { TarHeader } from '../tar/entry.ts';
import { compareTimes } from '../tar/time.ts';

/** Linux removes it when the owner changes (capabilities(7)). podman does not set an equal owner. */
const CAPABILITY = 'security.capability';

export type Attributes = Pick<TarHeader, 'mode' | 'uid' | 'gid' | 'mtime' | 'xattrs'>;

/** The file's header after the link; the same object if nothing changes. Mode and time of a symbolic link stay, because nothing sets them. */
export function linkedHeader<Header extends TarHeader>(file: Header, link: Attributes): Header {
  if (sameAttributes(file, link)) return file;
  const { uid, gid, mode, mtime } = link;
  const kept = new Map(file.xattrs);
  if (file.uid !== uid || file.gid !== gid) kept.delete(CAPABILITY);
  const xattrs = new Map([...kept, ...link.xattrs]);
  return file.type === 'symlink' ? { ...file, uid, gid, xattrs } : { ...file, uid, gid, mode, mtime, xattrs };
}

/** Whether a link with this header changes nothing. */
export function sameAttributes(file: Attributes, link: Attributes): boolean {
  return (
    file.mode === link.mode &&
    file.uid === link.uid &&
    file.gid === link.gid &&
    compareTimes(file.mtime, link.mtime) === 0 &&
    sameXattrs(file.xattrs, link.xattrs)
  );
}

function sameXattrs(file: TarHeader['xattrs'], link: TarHeader['xattrs']): boolean {
  if (file === link || (file.size === 0 && link.size === 0)) return true;
  return [...link].every(([name, value]) => {
    const known = file.get(name);
    return known !== undefined && Buffer.compare(known, value) === 0;
  });
}
