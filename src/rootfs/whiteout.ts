// Whiteouts: how a layer says what of the layers below is gone (OCI image specification 1.1, layer.md, "Whiteouts").
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

/** `undefined` for an entry that is a file of the image. */
export function whiteoutOf(path: string): Whiteout | undefined {
  // Most paths hold none: looking for the text is cheaper than taking the path apart.
  const at = path.indexOf(PREFIX);
  if (at < 0) return undefined;
  const name = baseName(path);
  if (name === OPAQUE) return { kind: 'opaque', path: parentPath(path) };
  if (name.startsWith(META) || path.startsWith(META) || path.includes(`/${META}`)) return { kind: 'meta' };
  if (!name.startsWith(PREFIX) || name === PREFIX) return undefined;
  return { kind: 'path', path: joinPath(parentPath(path), name.slice(PREFIX.length)) };
}
