// The names that layers in overlay form have, and what layers on top of each other show of them. Kept as long as a layer above is still to be written.
import type { TarHeader } from '../tar/entry.ts';
import type { Attributes } from './linked-header.ts';
import { baseName, parentPath } from './path.ts';

/** A directory, a whiteout, or anything else. */
export type LayerName = LayerDirectory | 'gone' | 'other';

export interface LayerDirectory {
  attributes: Attributes | undefined;
  readonly names: Map<string, LayerName>;
}

/** State: the names of a layer that is being written. Lifetime: until the layers above it are written. */
export interface LayerNames {
  readonly root: LayerDirectory;
  /** What is recorded for `path`; the root is the empty path. */
  at(path: string): LayerName | undefined;
  add(path: string, header: Pick<TarHeader, 'type' | 'device'> & Attributes): void;
  /** The name is not there after all. Not for a directory with names in it. */
  remove(path: string): void;
}

/** Directories on the way need not be recorded before. */
export function layerNames(): LayerNames {
  const root: LayerDirectory = { attributes: undefined, names: new Map() };
  // Most entries are in the directory of the entry before.
  let last: readonly [string, LayerDirectory] = ['', root];
  const directory = (path: string): LayerDirectory => {
    if (path === '') return root;
    if (path === last[0]) return last[1];
    const parent = directory(parentPath(path));
    const known = parent.names.get(baseName(path));
    const found = typeof known === 'object' ? known : { attributes: undefined, names: new Map() };
    if (found !== known) parent.names.set(baseName(path), found);
    last = [path, found];
    return found;
  };
  const at = (path: string): LayerName | undefined => {
    let found: LayerName | undefined = root;
    for (const name of namesIn(path)) found = typeof found === 'object' ? found.names.get(name) : undefined;
    return found;
  };
  return {
    root,
    at,
    remove(path) {
      const parent = at(parentPath(path));
      if (typeof parent === 'object') parent.names.delete(baseName(path));
      last = ['', root];
    },
    add(path, { type, device, mode, uid, gid, mtime, xattrs }) {
      if (type === 'directory') directory(path).attributes = { mode, uid, gid, mtime, xattrs };
      else if (path !== '') {
        const isGone = type === 'character' && device.major === 0 && device.minor === 0;
        directory(parentPath(path)).names.set(baseName(path), isGone ? 'gone' : 'other');
      }
    },
  };
}

/** What the layers below show. */
export interface ShownBelow {
  /** A directory of one or several layers, something else, or nothing. */
  at(path: string): ShownDirectory | 'other' | undefined;
}

export interface ShownDirectory {
  /** Of the uppermost layer that has it. */
  readonly attributes: Attributes | undefined;
  /** The names that it shows. */
  names(): ReadonlySet<string>;
}

/** `layers` begin with the uppermost. overlayfs looks for each name from there on, down to the first that is no directory. */
export function shownBelow(layers: readonly LayerDirectory[]): ShownBelow {
  return {
    at(path) {
      let found: readonly LayerDirectory[] | 'other' | undefined = layers.length > 0 ? layers : undefined;
      for (const name of namesIn(path)) found = typeof found === 'object' ? child(found, name) : undefined;
      return typeof found === 'object' ? shown(found) : found;
    },
  };
}

function child(layers: readonly LayerDirectory[], name: string): readonly LayerDirectory[] | 'other' | undefined {
  const merged: LayerDirectory[] = [];
  for (const { names } of layers) {
    const one = names.get(name);
    if (typeof one === 'object') merged.push(one);
    else if (one === 'gone' || (one === 'other' && merged.length > 0)) break;
    else if (one === 'other') return 'other';
  }
  return merged.length > 0 ? merged : undefined;
}

function shown(layers: readonly LayerDirectory[]): ShownDirectory {
  return {
    attributes: layers.find(({ attributes }) => attributes)?.attributes,
    names() {
      const gone = new Set<string>();
      const found = new Set<string>();
      for (const { names } of layers) {
        for (const [name, one] of names) {
          if (one === 'gone' && !found.has(name)) gone.add(name);
          else if (!gone.has(name)) found.add(name);
        }
      }
      return found;
    },
  };
}

function namesIn(path: string): readonly string[] {
  return path === '' ? [] : path.split('/');
}
