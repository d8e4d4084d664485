// The names in an archive, and the file to which each one leads when links in the archive are followed. Pure.
import type { TarHeader } from '../../tar/entry.ts';

export interface ArchiveNames<File> {
  addFile(name: string, file: File): void;
  /** Adds a symbolic or hard link. */
  addLink(entry: Pick<TarHeader, 'name' | 'type' | 'linkname'>): void;
  /** Adds an entry that is not a readable file; `what` says what it is, like `a directory`. */
  addOther(name: string, what: string): void;
  /** Returns `undefined` if there is no such file, or if links form a cycle. */
  find(name: string): File | undefined;
  /** Why nothing is found, like `it is a directory`. Returns `undefined` if the name simply does not exist. */
  why(name: string): string | undefined;
  /** The names of all regular files. */
  names(): Iterable<string>;
  /** Names that are neither a regular file nor a directory, or that lead out of the archive. */
  others(): Iterable<string>;
}

const MAX_LINKS = 8;
/** The text with which `addOther` marks a directory. */
export const DIRECTORY = 'a directory';

type Listed<File> = { readonly file: File } | { readonly to: string } | { readonly other: string };

export function archiveNames<File>(): ArchiveNames<File> {
  const listed = new Map<string, Listed<File>>();
  const outside = new Set<string>();
  const add = (name: string, entry: Listed<File>): void => {
    const path = cleanName(name);
    if (path !== undefined) listed.set(path, entry);
    else if (/[^./]/.test(name)) outside.add(name);
  };
  /** The last name to which links lead, and the entry there. */
  const follow = (name: string): { readonly at: string | undefined; readonly found?: Listed<File> | undefined } => {
    let at = cleanName(name);
    for (let links = 0; at !== undefined && links <= MAX_LINKS; links++) {
      const found = listed.get(at);
      if (!found || !('to' in found)) return { at, found };
      const to = cleanName(found.to);
      if (to === undefined) return { at: found.to };
      at = to;
    }
    return { at };
  };
  return {
    addFile: (name, file) => add(name, { file }),
    addLink({ name, type, linkname }) {
      const from = type === 'symlink' ? name.slice(0, name.lastIndexOf('/') + 1) : '';
      // An absolute target counts from the root of the archive.
      add(name, { to: linkname.startsWith('/') ? linkname : from + linkname });
    },
    addOther: (name, other) => add(name, { other }),
    find(name) {
      const { found } = follow(name);
      return found && 'file' in found ? found.file : undefined;
    },
    why(name) {
      const first = cleanName(name);
      if (first === undefined) return name === '' ? 'the name is empty' : 'the name leads out of the archive';
      const { at, found } = follow(name);
      const link = at === first ? 'it is' : `it is a link to ${at}, which is`;
      if (found) return 'other' in found ? `${link} ${found.other}` : undefined;
      if (at === first && !listed.has(first)) return undefined;
      return at !== undefined && listed.has(at) ? 'it is a link that leads in a circle' : `${link} not there`;
    },
    *names() {
      for (const [name, entry] of listed) if ('file' in entry) yield name;
    },
    *others() {
      yield* outside;
      for (const [name, entry] of listed)
        if (!('file' in entry) && !('other' in entry && entry.other === DIRECTORY)) yield name;
    },
  };
}

/** Normalises a name: `./a//b` is `a/b`. Returns `undefined` if it leads out of the archive. */
export function cleanName(name: string): string | undefined {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.length > 0 ? parts.join('/') : undefined;
}
