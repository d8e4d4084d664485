// The content of one file of a layer, as a program in the container reads it: with zeros for holes.
import type { CallOptions } from '../io/streams/bytes.ts';
import { refit } from '../tar/sparse-pieces.ts';
import { storedSize } from '../tar/writer.ts';
import { zeros } from '../tar/zeros.ts';
import type { IndexedEntry, Layer } from './contract.ts';
import { layerFiles } from './layer-files.ts';

/** Stops reading the layer at the end of the file. Errors: those of layerFiles. */
export async function* fileContent(
  layer: Layer,
  file: IndexedEntry,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  if (storedSize(file) === 0) {
    yield* zeros(file.size);
    return;
  }
  const whole = file.sparse && refit(file.sparse, [{ offset: 0, length: file.size }]);
  for await (const portions of layerFiles(layer, [file], options)) {
    for (const { bytes } of portions) {
      if (whole) yield* whole(bytes);
      else yield bytes;
    }
  }
}
