// Whether a file system keeps changes of names in order, and one sync of a folder makes all of them durable: docs/decisions/one-sync-for-many-names.md.
import { existsSync, readlinkSync, statfsSync } from 'node:fs';
import { basename } from 'node:path';

/** Magic number (statfs(2)) of ext2 to ext4. */
const EXT = 0xef53;
/** The inode of a journal that is on the file system itself (Documentation/filesystems/ext4/special_inodes.rst). */
const JOURNAL_INODE = 8;

/**
 * Whether the file system of `directory`, which has this device number (stat(2)), is an ext4 whose journal is in use: then, fsync of any of its folders commits all changes of names that were
 * made before. False if that is not certain.
 */
export function isJournaled(directory: string, device: number): boolean {
  try {
    if (statfsSync(directory).type !== EXT) return false;
    const name = basename(readlinkSync(`/sys/dev/block/${numbersOf(device)}`));
    // jbd2 has this folder as long as it runs the journal of this device. A journal elsewhere has the name of its own device.
    return existsSync(`/proc/fs/jbd2/${name}-${JOURNAL_INODE}`);
  } catch {
    return false;
  }
}

/** MAJOR:MINOR, as in <sys/sysmacros.h>. */
function numbersOf(device: number): string {
  const all = BigInt(device);
  const major = ((all >> 8n) & 0xfffn) | ((all >> 32n) & ~0xfffn);
  const minor = (all & 0xffn) | ((all >> 12n) & ~0xffn);
  return `${major}:${minor & 0xffffffffn}`;
}
