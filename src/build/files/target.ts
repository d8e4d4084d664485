// The file system to which COPY, ADD and WORKDIR write: the tree of a stage, with the changes that the new layer makes. Nothing is unpacked.
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
  /** Mode of what is created. What exists stays as it is. */
  readonly mode: number;
  /** If absent: root, and the group that the kernel would give it. */
  readonly owner: Owner | undefined;
  readonly time: TarTime;
}

/** Paths are normalised. Only `resolve` and `makeDirectories` follow links. */
export interface Target {
  look(path: string): Standing | undefined;
  /** Follows links inside the root, also at the last component. Missing components stay. */
  resolve(path: string): string;
  /** Creates the directory and its parents, following links. Returns its resolved path. Errors: PATH_UNKNOWN (something else is there), those of `put`. */
  makeDirectories(path: string, rules: DirectoryRules): string;
  /** Emits an entry for each parent directory, once: a tool that unpacks this layer alone creates them with these attributes. */
  describeAbove(path: string): void;
  /** Puts an entry at the path, replacing what was there. Its directory exists. Errors: TAR_INVALID (`.wh.` names, which are reserved in layers). */
  put(path: string, header: TarHeader): void;
}

/** `emit` gets the entries to write, in an order in which they can be unpacked. */
export function createTarget(tree: RootTree, emit: (path: string, header: TarHeader) => void): Target {
  /** The entries of the new layer so far. `hides`: nothing of lower layers shows through. */
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

  const resolve = (path: string): string => withoutLinks(path, look);

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

/** The path with its links followed, inside the root. Missing components stay. Errors: PATH_UNKNOWN (a circle). */
function withoutLinks(path: string, look: Target['look']): string {
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
}

const SETGID = 0o2000;

/** What mkdir(2) does in a set-group-ID directory: the new directory inherits the bit, and the group unless an owner is given. */
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
  return new ImagesError('PATH_UNKNOWN', `not a directory, so nothing can be put below it [/${printableName(path)}]`, {
    hint: 'Remove it with RUN before, or copy to somewhere else.',
  });
}

function inACircle(path: string): ImagesError {
  return new ImagesError('PATH_UNKNOWN', `symbolic links lead in a circle [/${printableName(path)}]`);
}

/** Names that begin with `.wh.` are reserved in layers: such a file would delete another one. */
function checkName(path: string): void {
  if (!baseName(path).startsWith('.wh.')) return;
  throw new ImagesError('TAR_INVALID', `no image can have a file of that name [${printableName(path)}]`, {
    hint: 'In layers .wh.NAME means that NAME is gone: call it otherwise, or leave it out.',
  });
}
