// The names of an archive: which file each one means, links in the archive followed. Pure.
import type { TarHeader } from '../../tar/entry.ts';

export interface ArchiveNames<File> {
  addFile(name: string, file: File): void;
  /** A symbolic or hard link. */
  addLink(entry: Pick<TarHeader, 'name' | 'type' | 'linkname'>): void;
  /** `undefined` where there is none, or links lead in a circle. */
  find(name: string): File | undefined;
  /** Of all regular files. */
  names(): Iterable<string>;
}

const MAX_LINKS = 8;

export function archiveNames<File>(): ArchiveNames<File> {
  const listed = new Map<string, { readonly file: File } | { readonly to: string }>();
  return {
    addFile(name, file) {
      const path = cleanName(name);
      if (path !== undefined) listed.set(path, { file });
    },
    addLink({ name, type, linkname }) {
      const path = cleanName(name);
      if (path === undefined) return;
      const from = type === 'symlink' ? path.slice(0, path.lastIndexOf('/') + 1) : '';
      const to = cleanName(from + linkname);
      if (to !== undefined) listed.set(path, { to });
    },
    find(name) {
      let wanted = cleanName(name);
      for (let links = 0; wanted !== undefined && links <= MAX_LINKS; links++) {
        const found = listed.get(wanted);
        if (!found) return undefined;
        if ('file' in found) return found.file;
        wanted = found.to;
      }
      return undefined;
    },
    *names() {
      for (const [name, place] of listed) if ('file' in place) yield name;
    },
  };
}

/** `./a//b` is `a/b`; `undefined` for what climbs out of the archive: it is nobody's. */
export function cleanName(name: string): string | undefined {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.length > 0 ? parts.join('/') : undefined;
}
