// What is written of a layer's entries, and where: the plain way, entry by entry as they come. Almost all layers can be written so. One in which something takes
// the place of something else cannot: what has been written to a pipe cannot be taken back. For it see overlay-tree.ts.
import type { TarHeader } from '../tar/entry.ts';
import { compareNames } from '../tar/names.ts';
import type { IndexedEntry } from './contract.ts';
import { type Attributes, linkedHeader, sameAttributes } from './linked-header.ts';
import { directoryHeader, hardLink, type OverlayPlace, placedHeader, whiteoutHeader } from './overlay-header.ts';
import { cleanPath, parentPath } from './path.ts';
import { whiteoutOf } from './whiteout.ts';

export interface Placed {
  /** To be written now; the first of them is followed by the entry's content, where it has any. */
  readonly headers: readonly TarHeader[];
  /** The entry's content, or the entry, is found under the entry's own name afterwards. */
  readonly findable: boolean;
}

/** A hard link to what is in a layer below. */
export interface LowerLink {
  /** The names that share it. */
  readonly paths: readonly string[];
  readonly target: string;
  /** What the links say of the file, the last of them first. */
  readonly header: TarHeader;
}

export interface OverlayShape {
  /** Is asked for every entry, in the archive's order. */
  place(entry: IndexedEntry): Placed;
  readonly lowerLinks: readonly LowerLink[];
  /** What has not been written yet: directories come last, because what is unpacked into them changes their times. */
  rest(): Iterable<TarHeader>;
}

/** Thrown where the layer cannot be written entry by entry. */
export class NotPlain extends Error {}

interface SharedLowerLink extends LowerLink {
  readonly paths: string[];
  header: TarHeader;
}

interface FoundDirectory {
  header?: TarHeader;
  opaque: boolean;
}

/** `place` of the shape throws NotPlain, and TAR_INVALID for names that climb out. */
export function plainShape(place: OverlayPlace): OverlayShape {
  const directories = new Map<string, FoundDirectory>([['', { opaque: false }]]);
  /** Everything else by path; false for a whiteout, true for a link to what is below. */
  const others = new Map<string, Attributes | boolean>();
  const listed = new Set<string>();
  const lowerLinks: SharedLowerLink[] = [];
  /** By each of their names: they are written last, and so are links to them. */
  const lowerNames = new Map<string, SharedLowerLink>();

  const directory = (path: string): FoundDirectory => {
    const known = directories.get(path);
    if (known) return known;
    if (others.has(path)) throw new NotPlain();
    directory(parentPath(path));
    const made: FoundDirectory = { opaque: false };
    directories.set(path, made);
    return made;
  };
  const occupy = (path: string, what: Attributes | boolean): void => {
    if (others.has(path) || directories.has(path)) throw new NotPlain();
    directory(parentPath(path));
    others.set(path, what);
  };

  return {
    lowerLinks,
    place(entry) {
      const { path } = entry;
      const whiteout = whiteoutOf(path);
      const findable = !listed.has(path);
      listed.add(path);
      if (whiteout?.kind === 'meta') return { headers: [], findable };
      if (whiteout?.kind === 'opaque') {
        directory(whiteout.path).opaque = true;
        return { headers: [], findable };
      }
      if (whiteout) {
        occupy(whiteout.path, false);
        return { headers: [whiteoutHeader(whiteout.path, entry, place)], findable };
      }
      if (entry.type === 'directory') {
        directory(path).header = entry;
        return { headers: [], findable };
      }
      // The root is a directory, whatever a layer says.
      if (path === '') throw new NotPlain();
      if (entry.type !== 'hardlink') {
        occupy(path, attributesOf(entry));
        return { headers: [placedHeader(entry, path, place)], findable };
      }
      const target = cleanPath(entry.linkname);
      if (directories.has(target) || others.get(target) === false || crosses(others, target)) throw new NotPlain();
      const shared = lowerNames.get(target);
      const linked = others.get(target);
      occupy(path, linked ?? true);
      if (shared) {
        shared.paths.push(path);
        shared.header = linkedHeader(shared.header, entry);
        lowerNames.set(path, shared);
        return { headers: [], findable };
      }
      if (linked && target !== path) {
        // The file's header is written already, and this one would change it.
        if (linked !== true && !sameAttributes(linked, entry)) throw new NotPlain();
        return { headers: [hardLink(path, target, place, entry)], findable };
      }
      const link = { paths: [path], target, header: entry };
      lowerLinks.push(link);
      lowerNames.set(path, link);
      return { headers: [], findable };
    },
    *rest() {
      // A target that came after its link is not below: then the whole has to be seen first.
      if (lowerLinks.some(({ target }) => others.has(target) || directories.has(target))) throw new NotPlain();
      for (const path of [...directories.keys()].sort(compareNames)) {
        const { header, opaque } = directories.get(path) as FoundDirectory;
        yield directoryHeader(header, { path, opaque }, place);
      }
    },
  };
}

/** No more of an entry is held: a layer may have a hundred thousand. */
function attributesOf({ mode, uid, gid, mtime, xattrs }: IndexedEntry): Attributes {
  return { mode, uid, gid, mtime, xattrs };
}

/** Whether something on the way to the path is no directory. */
function crosses(others: ReadonlyMap<string, unknown>, path: string): boolean {
  for (let at = parentPath(path); at !== ''; at = parentPath(at)) if (others.has(at)) return true;
  return false;
}
