// Contents of files of one layer, in the order of the archive: ranges of the uncompressed archive, read once, without parsing headers again.
import { decompressed } from '../io/compression/decompress.ts';
import type { CallOptions } from '../io/streams/bytes.ts';
import { ImagesError } from '../oci/errors.ts';
import { storedSize } from '../tar/writer.ts';
import type { IndexedEntry, Layer } from './contract.ts';
import { inLayer } from './layer-index.ts';
import { openToEnd, settled } from './read-to-end.ts';

/** The next bytes of a file's content. */
export interface FilePortion {
  /** One of the wanted files. */
  readonly file: IndexedEntry;
  readonly bytes: Uint8Array;
  readonly begins: boolean;
  readonly ends: boolean;
}

/**
 * The stored content of each file (a sparse file without its holes), without padding. `wanted` are files with content,
 * in the order of their positions. Portions come in lists, one for each chunk of the archive. Reading stops after the last file, and then the
 * bytes are trusted if their source is; with `whole`, everything is read and verified.
 */
export async function* layerFiles(
  layer: Layer,
  wanted: readonly IndexedEntry[],
  { whole = false, ...options }: CallOptions & { readonly whole?: boolean } = {},
): AsyncGenerator<readonly FilePortion[]> {
  if (wanted.length === 0) return;
  let start = 0;
  let next = 0;
  try {
    const blob = whole ? await openToEnd(layer, options) : await layer.open({ ...options, unverified: true });
    for await (const chunk of decompressed(blob)) {
      if (next === wanted.length) continue;
      const end = start + chunk.length;
      const portions: FilePortion[] = [];
      for (let file = wanted[next]; file && file.position.body < end; file = wanted[next]) {
        const [from, to] = [file.position.body, file.position.body + storedSize(file)];
        const bytes = chunk.subarray(Math.max(from - start, 0), to - start);
        portions.push({ file, bytes, begins: from >= start, ends: to <= end });
        if (to > end) break;
        next++;
      }
      start = end;
      yield portions;
      if (next === wanted.length && !whole) return;
    }
    if (next < wanted.length)
      throw new ImagesError('TAR_INVALID', `the archive ends before its last file [${start} bytes]`);
  } catch (error) {
    throw inLayer(layer, await settled(layer, error, options));
  }
}
