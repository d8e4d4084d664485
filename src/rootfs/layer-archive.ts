// Joins layers, unchanged and with their whiteouts, into one tar archive.
import { decompressed } from '../io/compression/decompress.ts';
import type { CallOptions } from '../io/streams/bytes.ts';
import { endOfArchive, padding } from '../tar/writer.ts';
import type { Layer, LayerIndex } from './contract.ts';
import { inLayer } from './layer-index.ts';

export interface IndexedLayer {
  readonly layer: Layer;
  readonly index: LayerIndex;
}

/** One uncompressed archive with the entries of all layers, byte for byte, and one end. Errors: TAR_INVALID, COMPRESSION_INVALID, those of the transport. */
export async function* joinLayers(
  layers: readonly IndexedLayer[],
  options: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  for (const { layer, index } of layers) {
    const end = index.entries.at(-1)?.position.end ?? 0;
    if (end > 0) yield* beginning(layer, end, options);
  }
  yield endOfArchive();
}

/** The first `size` bytes of the archive, with the padding of its last entry, which may be missing. */
async function* beginning(layer: Layer, size: number, options: CallOptions): AsyncGenerator<Uint8Array> {
  let left = size;
  try {
    for await (const chunk of decompressed(await layer.open(options))) {
      const portion = chunk.subarray(0, left);
      left -= portion.length;
      // Reads to the end anyway, because only then is the layer verified.
      if (portion.length > 0) yield portion;
    }
  } catch (error) {
    throw inLayer(layer, error);
  }
  yield padding(size - left);
}
