// The content of one file of a layer, as a program in the container would read it: holes are zeros.
import type { CallOptions } from '../registry/contract.ts';
import { zeros } from '../tar/zeros.ts';
import type { IndexedEntry, Layer } from './contract.ts';
import { layerFiles } from './layer-files.ts';

/** Reads the layer no further than to the file's end. Errors: those of layerFiles. */
export async function* fileContent(
  layer: Layer,
  file: IndexedEntry,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  const pieces = (file.sparse ?? [{ offset: 0, length: file.size }]).filter(({ length }) => length > 0);
  let position = 0;
  let at = 0;
  let left = pieces[0]?.length ?? 0;
  if (pieces.length > 0) {
    for await (const portions of layerFiles(layer, [file], options)) {
      for (const { bytes } of portions) {
        for (let rest = bytes; rest.length > 0; ) {
          const piece = pieces[at] as { readonly offset: number; readonly length: number };
          if (left === piece.length) yield* zeros(piece.offset - position);
          const portion = rest.subarray(0, left);
          yield portion;
          rest = rest.subarray(portion.length);
          left -= portion.length;
          position = piece.offset + piece.length - left;
          if (left === 0) left = pieces[++at]?.length ?? 0;
        }
      }
    }
  }
  yield* zeros(file.size - position);
}
