// Finds the target of a hard link in lower layers. Overlayfs has no hard links between layers, so it has to be copied.
import type { Bytes, CallOptions } from '../io/streams/bytes.ts';
import type { TarHeader } from '../tar/entry.ts';
import type { IndexedEntry, Layer } from './contract.ts';
import { fileContent } from './file-content.ts';
import { findInLayers } from './find-file.ts';

export interface LowerFile {
  /** Without holes: its size is the content's. */
  readonly header: TarHeader;
  readonly content: Bytes;
}

/** `layers` begin with the base. Returns `undefined` if there is no such file, or it is a directory. Errors: those of `findInLayers`. */
export async function lowerFile(
  layers: readonly Layer[],
  path: string,
  options: CallOptions,
): Promise<LowerFile | undefined> {
  const { node } = (await findInLayers(layers, path, options)) ?? {};
  const entry = node?.children ? undefined : node?.inode.entry;
  const layer = node && layers[node.inode.layer];
  if (!entry || !layer) return undefined;
  const { sparse: _, ...header } = entry;
  return { header, content: entry.size > 0 ? fileContent(layer, entry as IndexedEntry, options) : nothing() };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
