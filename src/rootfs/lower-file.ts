// A file of the layers below, for a hard link that leads there: overlayfs has no links between layers.
import type { Bytes, CallOptions } from '../io/streams/bytes.ts';
import type { TarHeader } from '../tar/entry.ts';
import type { IndexedEntry, Layer } from './contract.ts';
import { fileContent } from './file-content.ts';
import { findInLayers } from './find-file.ts';

export interface LowerFile {
  /** Without holes: its size is that of the content. */
  readonly header: TarHeader;
  readonly content: Bytes;
}

/** `layers` from the base up. `undefined` where there is no such file, or it is a directory. Errors: those of `findInLayers`. */
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
