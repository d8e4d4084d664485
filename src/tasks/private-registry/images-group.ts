// The group `images`: its members use a registry that runs as a system service, without logging in.
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const GROUP = 'images';

/** The id of the group; `undefined` if this machine has none. Looks in the file alone, as for all groups of services (sysusers.d(5)). */
export function imagesGroup(file = '/etc/group'): number | undefined {
  try {
    // NAME:PASSWORD:ID:MEMBERS (group(5)).
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((text) => text.startsWith(`${GROUP}:`));
    const id = line?.split(':')[2] ?? '';
    return /^\d{1,10}$/.test(id) ? Number(id) : undefined;
  } catch {
    return undefined;
  }
}

/** The topmost directory above a file that members of a group cannot pass; `undefined` if they can pass all of them. */
export function closedTo(group: number, path: string): string | undefined {
  const above = dirname(path);
  const higher = above === path ? undefined : closedTo(group, above);
  if (higher !== undefined || above === path) return higher;
  const { mode, gid } = statSync(above);
  return (mode & (gid === group ? 0o010 : 0o001)) === 0 ? above : undefined;
}
