// Whiteouts: how a layer records deletions in lower layers (OCI image specification 1.1, layer.md, "Whiteouts").
import { printableName } from '../tar/names.ts';
import { damagedImage } from './damaged.ts';
import { baseName, joinPath, parentPath } from './path.ts';

const PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** The prefix of aufs' internal files, which are no files of the image. */
const META = '.wh..wh.';

export type Whiteout =
  /** Deletes the path. */
  | { readonly kind: 'path'; readonly path: string }
  /** Hides everything that lower layers have in the directory. */
  | { readonly kind: 'opaque'; readonly path: string }
  /** Has no meaning, and is no file. */
  | { readonly kind: 'meta' };

/** Names that no file can have: such a whiteout would delete the directory itself or its parent. */
const IS_NO_NAME = /^\.{0,2}$/;

/** Returns `undefined` for an ordinary file. Errors: TAR_INVALID for a whiteout without a valid name. */
export function whiteoutOf(path: string): Whiteout | undefined {
  // Most paths contain no prefix, and a search for it is cheaper than splitting the path.
  const at = path.indexOf(PREFIX);
  if (at < 0) return undefined;
  const name = baseName(path);
  // Nothing can be inside of a whiteout.
  if (`/${parentPath(path)}`.includes(`/${PREFIX}`)) return { kind: 'meta' };
  if (name === OPAQUE) return { kind: 'opaque', path: parentPath(path) };
  if (name.startsWith(META)) return { kind: 'meta' };
  if (!name.startsWith(PREFIX)) return undefined;
  const gone = name.slice(PREFIX.length);
  if (IS_NO_NAME.test(gone)) throw damagedImage(`a whiteout of no name [${printableName(path)}]`);
  return { kind: 'path', path: joinPath(parentPath(path), gone) };
}
