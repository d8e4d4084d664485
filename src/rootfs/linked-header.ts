// What a hard link's header does to the file that it names: Docker, containerd and podman make the link, then set owner, mode, times and attributes by its
// name, so the last header of a file counts (moby pkg/archive, `createTarFile`; GNU tar and bsdtar leave the file as it was).
import type { TarHeader } from '../tar/entry.ts';
import { compareTimes } from '../tar/time.ts';

/** Linux takes it away when another owner is set (capabilities(7)); podman sets none where it is the same. */
const CAPABILITY = 'security.capability';

export type Attributes = Pick<TarHeader, 'mode' | 'uid' | 'gid' | 'mtime' | 'xattrs'>;

/** The file's header afterwards; itself where nothing changes. A symbolic link's mode and time stay: nothing sets them. */
export function linkedHeader<Header extends TarHeader>(file: Header, link: Attributes): Header {
  if (sameAttributes(file, link)) return file;
  const { uid, gid, mode, mtime } = link;
  const kept = new Map(file.xattrs);
  if (file.uid !== uid || file.gid !== gid) kept.delete(CAPABILITY);
  const xattrs = new Map([...kept, ...link.xattrs]);
  return file.type === 'symlink' ? { ...file, uid, gid, xattrs } : { ...file, uid, gid, mode, mtime, xattrs };
}

/** Whether a link with this header leaves a file with these attributes as it is. */
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
