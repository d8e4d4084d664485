// Whiteouts: how a layer says what of the layers below is gone (OCI image specification 1.1, layer.md, "Whiteouts").
import { printableName } from '../tar/names.ts';
import { damagedImage } from './damaged.ts';
import { baseName, joinPath, parentPath } from './path.ts';

const PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** What aufs kept for itself; no file of the image. */
const META = '.wh..wh.';

export type Whiteout =
  /** The path is gone. */
  | { readonly kind: 'path'; readonly path: string }
  /** All that layers below have in the directory is gone. */
  | { readonly kind: 'opaque'; readonly path: string }
  /** Means nothing, and is no file either. */
  | { readonly kind: 'meta' };

/** No name of a file: unpacked, a device of that path would be the directory itself, or the one above. */
const IS_NO_NAME = /^\.{0,2}$/;

/** `undefined` for an entry that is a file of the image. Errors: TAR_INVALID for a whiteout of no name. */
export function whiteoutOf(path: string): Whiteout | undefined {
  // Most paths hold none: looking for the text is cheaper than taking the path apart.
  const at = path.indexOf(PREFIX);
  if (at < 0) return undefined;
  const name = baseName(path);
  // Nothing can be in what is gone.
  if (`/${parentPath(path)}`.includes(`/${PREFIX}`)) return { kind: 'meta' };
  if (name === OPAQUE) return { kind: 'opaque', path: parentPath(path) };
  if (name.startsWith(META)) return { kind: 'meta' };
  if (!name.startsWith(PREFIX)) return undefined;
  const gone = name.slice(PREFIX.length);
  if (IS_NO_NAME.test(gone)) throw damagedImage(`a whiteout of no name [${printableName(path)}]`);
  return { kind: 'path', path: joinPath(parentPath(path), gone) };
}
