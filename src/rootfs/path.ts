// Paths in a root file system: `etc/passwd`, without leading `/`, `.` or `..`. The root is the empty path.
import type { ImagesError } from '../oci/errors.ts';
import { printableName } from '../tar/names.ts';
import { damagedImage } from './damaged.ts';

const IS_CLEAN = /^(?!\.{0,2}(?:\/|$))(?:[^/]|\/(?!\/|\.{0,2}(?:\/|$)))*$/;

/** Normalises a name in an archive. Errors: TAR_INVALID if it leads outside of the root, or is empty. */
export function cleanPath(name: string): string {
  if (IS_CLEAN.test(name)) return name;
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw climbsOut(name);
  }
  return parts.join('/');
}

/** Normalises a path given by a user. As in a container, `..` never leads outside of the root. */
export function pathInRoot(text: string): string {
  return linkTarget('', text);
}

/** Resolves the target of a symbolic link at `from`. As in a container, it never leads outside of the root. */
export function linkTarget(from: string, target: string): string {
  const parts = target.startsWith('/') ? [] : from.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function joinPath(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

function climbsOut(name: string): ImagesError {
  return damagedImage(`a name in a layer climbs out of the root [${printableName(name)}]`);
}
