// Where COPY, ADD and WORKDIR write: the file system of a stage as it is, and what a layer is about to change in it. Nothing is unpacked for it.
import { ImagesError } from '../../oci/errors.ts';
import { baseName, joinPath, linkTarget, parentPath } from '../../rootfs/path.ts';
import { headerOf, nodeAt, type RootTree, type TreeNode } from '../../rootfs/tree.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { printableName } from '../../tar/names.ts';
import { plainHeader } from '../../tar/plain-header.ts';
import type { TarTime } from '../../tar/time.ts';
import type { Owner } from './owners.ts';

export type Standing = Pick<TarHeader, 'type' | 'linkname' | 'mode' | 'gid'>;

export interface DirectoryRules {
  /** Of what is made; what is there stays as it is. */
  readonly mode: number;
  /** Where absent it is root's, and of the group that the kernel gives it. */
  readonly owner: Owner | undefined;
  readonly time: TarTime;
}

/** Paths are clean and, but for `resolve` and `makeDirectories`, say exactly what they mean: no link is followed. */
export interface Target {
  look(path: string): Standing | undefined;
  /** Links followed, the last part's too, inside the root. Parts that are not there stay. */
  resolve(path: string): string;
  /** Makes the directory with those above it, links followed; returns where it is. Errors: PATH_UNKNOWN where something else is in the way, those of `put`. */
  makeDirectories(path: string, rules: DirectoryRules): string;
  /** Describes each directory above the path once: who unpacks a layer on its own makes them of what it says. */
  describeAbove(path: string): void;
  /** Puts an entry there, instead of what was. Its directory exists. Errors: TAR_INVALID for a name that layers keep for themselves. */
  put(path: string, header: TarHeader): void;
}

/** `emit` takes what has to be written, in an order in which it can be unpacked. */
export function createTarget(tree: RootTree, emit: (path: string, header: TarHeader) => void): Target {
  /** What the layer has so far; `hides` is true where nothing of the layers below shows through. */
  const planned = new Map<string, Standing & { readonly hides: boolean }>();
  const described = new Set<string>(['']);

  const below = (path: string): TreeNode | undefined => {
    for (let above = path; above !== ''; above = parentPath(above)) if (planned.get(above)?.hides) return undefined;
    return nodeAt(tree, path);
  };

  const look = (path: string): Standing | undefined => {
    const known = planned.get(path);
    if (known) return known;
    const node = path === '' ? tree.root : below(path);
    if (!node) return undefined;
    const { type, linkname, mode, gid } = headerOf(node);
    return { type: node.children ? 'directory' : type, linkname, mode, gid };
  };

  const resolve = (path: string): string => {
    let parts = path.split('/').filter((part) => part !== '');
    let at = '';
    for (let links = 0; parts.length > 0; ) {
      const [part = '', ...rest] = parts;
      const here = joinPath(at, part);
      const standing = look(here);
      parts = rest;
      at = here;
      if (standing?.type !== 'symlink') continue;
      if (++links > MAX_LINKS) throw inACircle(path);
      parts = [...linkTarget(here, standing.linkname).split('/'), ...rest].filter((each) => each !== '');
      at = '';
    }
    return at;
  };

  const describeAbove = (path: string): void => {
    const above: string[] = [];
    for (let at = parentPath(path); at !== '' && !described.has(at); at = parentPath(at)) above.unshift(at);
    for (const at of above) {
      described.add(at);
      const node = nodeAt(tree, at);
      if (!planned.has(at) && node) emit(at, headerOf(node));
    }
  };

  const put = (path: string, header: TarHeader): void => {
    checkName(path);
    describeAbove(path);
    const isDirectory = header.type === 'directory';
    const wasDirectory = look(path)?.type === 'directory';
    for (const name of wasDirectory && !isDirectory ? planned.keys() : []) {
      if (name.startsWith(`${path}/`)) planned.delete(name);
    }
    const hides = !isDirectory || !wasDirectory || planned.get(path)?.hides === true;
    const { type, linkname, mode, gid } = header;
    planned.set(path, { type, linkname, mode, gid, hides });
    if (isDirectory) described.add(path);
    else described.delete(path);
    emit(path, header);
  };

  return {
    look,
    resolve,
    describeAbove,
    put,
    makeDirectories: (path, { mode, owner, time }) => {
      const resolved = resolve(path);
      let at = '';
      for (const part of resolved === '' ? [] : resolved.split('/')) {
        at = joinPath(at, part);
        const standing = look(at);
        if (standing?.type === 'directory') continue;
        if (standing) throw noDirectory(at);
        const made = inherited(look(parentPath(at)), mode, owner);
        put(at, plainHeader({ ...made, name: at, type: 'directory', mtime: time }));
      }
      return resolved;
    },
  };
}

const SETGID = 0o2000;

/** What mkdir(2) makes in a directory that is set-group-ID: its group, where nobody sets another one, and its bit. */
function inherited(
  parent: Standing | undefined,
  mode: number,
  owner: Owner | undefined,
): Pick<TarHeader, 'mode' | 'uid' | 'gid'> {
  const bit = (parent?.mode ?? 0) & SETGID;
  return { mode: mode | bit, ...(owner ?? { uid: 0, gid: bit ? (parent?.gid ?? 0) : 0 }) };
}

const MAX_LINKS = 40;

export function noDirectory(path: string): ImagesError {
  return new ImagesError('PATH_UNKNOWN', `no directory, so nothing can be put below it [/${printableName(path)}]`, {
    hint: 'Remove it with RUN before, or copy to somewhere else.',
  });
}

function inACircle(path: string): ImagesError {
  return new ImagesError('PATH_UNKNOWN', `symbolic links lead in a circle [/${printableName(path)}]`);
}

/** A name that layers keep for themselves would delete what it names. */
function checkName(path: string): void {
  if (!baseName(path).startsWith('.wh.')) return;
  throw new ImagesError('TAR_INVALID', `no image can have a file of that name [${printableName(path)}]`, {
    hint: 'In layers .wh.NAME means that NAME is gone: call it otherwise, or leave it out.',
  });
}
