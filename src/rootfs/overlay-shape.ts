// Decides what is written for the entries of a layer, and where; this is the plain way, entry by entry. It fails for the few layers in which something replaces
// something else, because what was written to a pipe cannot be taken back. overlay-tree.ts handles those.
import type { TarHeader } from '../tar/entry.ts';
import { compareNames } from '../tar/names.ts';
import type { IndexedEntry } from './contract.ts';
import { type Attributes, linkedHeader, sameAttributes } from './linked-header.ts';
import { directoryHeader, hardLink, type OverlayOptions, overlayHeader, whiteoutHeader } from './overlay-header.ts';
import { cleanPath, parentPath } from './path.ts';
import { whiteoutOf } from './whiteout.ts';

export interface OverlayEntry {
  /** Headers to be written now. The content of the entry, if it has any, follows the first of them. */
  readonly headers: readonly TarHeader[];
  /** Whether the content (or the entry) will be found under the entry's own name. */
  readonly findable: boolean;
}

/** A hard link to a file in a lower layer. */
export interface LowerLink {
  /** All names of the file. */
  readonly paths: readonly string[];
  readonly target: string;
  /** The attributes in the links' headers; the last link wins. */
  readonly header: TarHeader;
}

/** What is written after all entries: directories, and whiteouts that only then are known. */
export interface LaterEntry {
  readonly path: string;
  readonly header: TarHeader;
  /** Absent for a whiteout. */
  readonly directory?: {
    readonly opaque: boolean;
    /** No entry of the layer describes it. */
    readonly isImplied: boolean;
  };
}

export interface OverlayShape {
  /** To be called for every entry, in the order of the archive. */
  add(entry: IndexedEntry): OverlayEntry;
  readonly lowerLinks: readonly LowerLink[];
  /** What has not been written yet. Directories come last, because unpacking files into them changes their times. */
  rest(): Iterable<LaterEntry>;
}

/** Thrown if the layer cannot be written entry by entry. */
export class NotPlain extends Error {}

interface SharedLowerLink extends LowerLink {
  readonly paths: string[];
  header: TarHeader;
}

interface FoundDirectory {
  header?: TarHeader;
  opaque: boolean;
}

/** The shape's `add` throws NotPlain, and TAR_INVALID for names outside of the root. */
export function plainShape(options: OverlayOptions): OverlayShape {
  const directories = new Map<string, FoundDirectory>([['', { opaque: false }]]);
  /** Everything but directories, by path; `false` for a whiteout, `true` for a link to a lower layer. */
  const others = new Map<string, Attributes | boolean>();
  const listed = new Set<string>();
  const lowerLinks: SharedLowerLink[] = [];
  /** By each of their names. They are written last, and so are links to them. */
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
    add(entry) {
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
        return { headers: [whiteoutHeader(whiteout.path, entry, options)], findable };
      }
      if (entry.type === 'directory') {
        directory(path).header = entry;
        return { headers: [], findable };
      }
      // The root is always a directory, whatever the layer says.
      if (path === '') throw new NotPlain();
      if (entry.type !== 'hardlink') {
        occupy(path, attributesOf(entry));
        return { headers: [overlayHeader(entry, path, options)], findable };
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
        // The target's header has been written already, and this link would change it.
        if (linked !== true && !sameAttributes(linked, entry)) throw new NotPlain();
        return { headers: [hardLink(path, target, options, entry)], findable };
      }
      const link = { paths: [path], target, header: entry };
      lowerLinks.push(link);
      lowerNames.set(path, link);
      return { headers: [], findable };
    },
    *rest() {
      // The target came after its link, so it is not in a lower layer, and the whole layer has to be known first.
      if (lowerLinks.some(({ target }) => others.has(target) || directories.has(target))) throw new NotPlain();
      for (const path of [...directories.keys()].sort(compareNames)) {
        const { header, opaque } = directories.get(path) as FoundDirectory;
        yield {
          path,
          header: directoryHeader(header, { path, opaque }, options),
          directory: { opaque, isImplied: !header },
        };
      }
    },
  };
}

/** Keeps only these fields of an entry, because a layer may have a hundred thousand. */
function attributesOf({ mode, uid, gid, mtime, xattrs }: IndexedEntry): Attributes {
  return { mode, uid, gid, mtime, xattrs };
}

/** Whether something on the way to the path is not a directory. */
function crosses(others: ReadonlyMap<string, unknown>, path: string): boolean {
  for (let at = parentPath(path); at !== ''; at = parentPath(at)) if (others.has(at)) return true;
  return false;
}
