// ADD of an archive: puts its entries into the target. Gives the result of unpacking the archive there, without unpacking anything.
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { baseName, cleanPath, joinPath, parentPath } from '../../rootfs/path.ts';
import type { TarEntry, TarHeader } from '../../tar/entry.ts';
import { printableName } from '../../tar/names.ts';
import { onlyHeader } from '../../tar/plain-header.ts';
import type { TarTime } from '../../tar/time.ts';
import type { Patterns } from '../context/patterns.ts';
import { normalised } from './globs.ts';
import type { Owner } from './owners.ts';
import type { Target } from './target.ts';

export interface UnpackRules {
  /** Absolute. */
  readonly destination: string;
  readonly owner: Owner | undefined;
  readonly exclude: Patterns | undefined;
  readonly time: TarTime;
}

export interface Unpacker {
  /** Puts the entry into the target and returns its path, or `undefined` if it changes nothing. Errors: TAR_INVALID. */
  add(entry: TarEntry): string | undefined;
}

/** Creates the destination directory. Errors: PATH_UNKNOWN (it cannot be created). */
export function createUnpacker(target: Target, rules: UnpackRules): Unpacker {
  const { owner, exclude, time } = rules;
  const root = target.makeDirectories(normalised(rules.destination), { mode: 0o755, owner, time });
  const written = new Set<string>();

  /** The target's path for a name in the archive. Links in parent directories are followed, one at the path itself is not. */
  const pathBelow = (name: string): string => {
    const path = joinPath(root, name);
    return joinPath(target.resolve(parentPath(path)), baseName(path));
  };

  return {
    add(entry) {
      const name = inside(entry.name);
      if (name === '' || exclude?.matches(name)) return undefined;
      target.makeDirectories(joinPath(root, parentPath(name)), { mode: 0o755, owner: ROOT, time });
      const path = pathBelow(name);
      const header = overlayHeader(entry, path, owner);
      if (entry.type !== 'hardlink') {
        target.put(path, header);
        written.add(path);
        return path;
      }
      const linkname = pathBelow(inside(entry.linkname));
      if (!written.has(linkname)) throw linkToNothing(entry);
      if (linkname === path) return undefined;
      if (target.look(linkname)?.type === 'directory') throw linkToDirectory(entry);
      target.put(path, { ...header, linkname });
      written.add(path);
      return path;
    },
  };
}

const ROOT: Owner = { uid: 0, gid: 0 };

function overlayHeader(entry: TarEntry, path: string, owner: Owner | undefined): TarHeader {
  return { ...onlyHeader(entry), name: path, ...owner };
}

/** Errors: TAR_INVALID. */
function inside(name: string): string {
  try {
    return cleanPath(name);
  } catch (error) {
    if (!isImagesError(error, 'TAR_INVALID')) throw error;
    throw new ImagesError('TAR_INVALID', `a name in the archive climbs out of the root [${printableName(name)}]`, {
      hint: 'Pack what is below a directory: tar -C DIR -cf - .',
      cause: error,
    });
  }
}

function linkToNothing(entry: TarEntry): ImagesError {
  return linkError('a hard link to what the archive does not hold before it', entry);
}

/** The error for a hard link to a directory. No file system supports them: unpacking the layer would fail. */
function linkToDirectory(entry: TarEntry): ImagesError {
  return linkError('a hard link to a directory', entry);
}

function linkError(what: string, { name, linkname }: TarEntry): ImagesError {
  return new ImagesError('TAR_INVALID', `${what} [${printableName(name)} → ${printableName(linkname)}]`);
}
