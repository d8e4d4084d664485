// The index of a layer: the header of each entry, and its position in the archive. Made in one pass that skips contents.
import { decompressed } from '../io/compression/decompress.ts';
import { createLimiter } from '../io/concurrency/limiter.ts';
import type { CallOptions } from '../io/streams/bytes.ts';
import { tapped } from '../io/streams/verify.ts';
import type { Digest } from '../oci/digest.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import { isLayerType } from '../oci/media-types.ts';
import { readTar } from '../tar/reader.ts';
import { compareTimes, wholeSeconds } from '../tar/time.ts';
import type { IndexedEntry, Layer, LayerIndex } from './contract.ts';
import { DAMAGED_HINT } from './damaged.ts';
import { decodeIndex, encodeIndex } from './index-codec.ts';
import { cleanPath } from './path.ts';
import { openToEnd, settled } from './read-to-end.ts';

/** More entries than any real image has. More would not fit into memory. */
const MAX_ENTRIES = 1_500_000;
/** Layers read in parallel. */
const AT_A_TIME = 4;

export interface IndexOptions extends CallOptions {
  /** Called with the number of blob bytes, as they are read. */
  onBytes?(count: number): void;
}

/** The indexes of layers, in order: loaded, or else read, in parallel and equal ones once. Errors: TAR_INVALID, COMPRESSION_INVALID, those of the transport. */
export async function indexLayers(
  layers: readonly Layer[],
  options: IndexOptions = {},
): Promise<readonly LayerIndex[]> {
  const distinct = new Map(layers.map((layer) => [layer.descriptor.digest, layer]));
  const read = async ([digest, layer]: readonly [Digest, Layer]) => [digest, await indexLayer(layer, options)] as const;
  const indexes = new Map(await createLimiter(AT_A_TIME).map(distinct, read, options.signal));
  return layers.map(({ descriptor }) => indexes.get(descriptor.digest) as LayerIndex);
}

/** Loaded if the layer's source stores indexes, and saved there. Errors: as `indexLayers`. */
export async function indexLayer(layer: Layer, options: IndexOptions = {}): Promise<LayerIndex> {
  const remembered = await layer.index?.load();
  const known = remembered && decodeIndex(remembered);
  if (known) return known;
  const index = await readIndex(layer, options);
  await layer.index?.save(encodeIndex(index));
  return index;
}

async function readIndex(layer: Layer, options: IndexOptions): Promise<LayerIndex> {
  try {
    const blob = tapped(await openToEnd(layer, options), ({ length }) => options.onBytes?.(length));
    return await indexArchive(decompressed(blob));
  } catch (error) {
    throw inLayer(layer, await settled(layer, error, options));
  }
}

/** Reads an archive to its end. Errors: TAR_INVALID, also for names and numbers that no file system accepts. */
export async function indexArchive(archive: AsyncIterable<Uint8Array>): Promise<LayerIndex> {
  const entries: IndexedEntry[] = [];
  let mtime = wholeSeconds(0);
  // With `tail` the stream is read to its end, so its digest is verified.
  for await (const entry of readTar(archive, { tail: () => {} })) {
    if (entries.length === MAX_ENTRIES) throw new ImagesError('TAR_INVALID', `more than [${MAX_ENTRIES}] entries`);
    const { name, type, size, mode, uid, gid, linkname, device, xattrs, sparse, position } = entry;
    // Shares the time object with the entry before, because most times are equal.
    if (compareTimes(entry.mtime, mtime) !== 0) mtime = entry.mtime;
    const path = pathOf(name);
    const plain = { name, path, type, size, mode, uid, gid, mtime, linkname, device, xattrs, position };
    entries.push(sparse ? { ...plain, sparse } : plain);
  }
  return { entries };
}

/** In bytes. Linux opens no longer path, which also limits the depth of the tree. */
const MAX_PATH = 4096;

function pathOf(name: string): string {
  const path = cleanPath(name);
  if (path.length < MAX_PATH) return path;
  throw new ImagesError('TAR_INVALID', `a name in a layer is too long [${path.length} characters]`);
}

/** Adds to the error which layer it was. */
export function inLayer({ descriptor }: Layer, error: unknown): unknown {
  if (!isImagesError(error, 'TAR_INVALID', 'COMPRESSION_INVALID')) return error;
  if (!isLayerType(descriptor.mediaType)) {
    return new ImagesError('UNSUPPORTED', `${descriptor.mediaType} holds no files [${descriptor.digest}]`, {
      hint: 'It is no image of a file system: `images inspect` shows what it is.',
      cause: error,
    });
  }
  return new ImagesError(error.code, `${error.message} in layer ${descriptor.digest}`, {
    hint: error.hint ?? DAMAGED_HINT,
    cause: error,
  });
}
