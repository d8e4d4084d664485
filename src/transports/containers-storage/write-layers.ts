// The layers of a store, each once, parents before children. While one is written, the next one is decompressed.
import type { RewindableOutput } from '../../io/files/rewindable-output.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Digest } from '../../oci/digest.ts';
import type { RootDirectory } from '../../rootfs/overlay-header.ts';
import { type LayerAhead, readAhead } from '../layer-ahead.ts';
import type { ReadableImage } from '../readable-image.ts';
import { inImage } from '../write-form.ts';
import type { MergedImage } from './merged-images.ts';
import { type LayerToWrite, storedLayerCompression, type WrittenLayer, writeStoreLayer } from './write-layer.ts';
import { createdTime, type LayerRecord } from './written-records.ts';

/** Layers in an existing archive that this program has written. They are copied unchanged. */
export interface StoredLayers {
  record(id: string): LayerRecord | undefined;
  /** Copies the whole range, from the layer's directory to the end of its tar-split. */
  copy(id: string, output: RewindableOutput): Promise<void>;
  /** The root of the layer's tree. */
  rootDirectory(id: string): RootDirectory | undefined;
}

export interface StoreLayersOptions extends CallOptions {
  readonly userXattr?: boolean;
  /** The directory for data that does not fit into memory. */
  readonly temporaryDirectory: string;
  readonly stored?: StoredLayers;
  /** Called when a layer is in the archive. */
  readonly onLayer?: (digest: Digest) => void;
}

export interface WrittenLayers {
  /** Parents before children. */
  readonly records: readonly LayerRecord[];
  readonly taken: number;
}

interface NextLayer extends LayerToWrite {
  /** The name of the image, for messages. */
  readonly image: string;
  readonly created: string;
}

/** Writes each layer once, or copies it from `stored`. */
export async function writeLayers(
  images: readonly MergedImage[],
  output: RewindableOutput,
  options: StoreLayersOptions & { readonly root: string },
): Promise<WrittenLayers> {
  const { stored, onLayer } = options;
  const all = distinctLayers(images);
  const records: LayerRecord[] = [];
  /** The root directories by layer id. */
  const roots = new Map<string, RootDirectory>();
  let taken = 0;
  let ahead: LayerAhead | undefined;
  try {
    for (const [at, one] of all.entries()) {
      options.signal?.throwIfAborted();
      const known = stored?.record(one.id);
      if (known && stored) {
        await stored.copy(one.id, output);
        records.push({ ...known, created: one.created, blob: await blobOf(known, one, options) });
        const root = stored.rootDirectory(one.id);
        if (root) roots.set(one.id, root);
        taken++;
      } else {
        const current = ahead;
        // The next layer is decompressed while this one is written.
        const next = all[at + 1];
        const rootBelow = roots.get(one.lower[0] ?? '');
        const writing = writeStoreLayer({ ...one, ...(rootBelow && { rootBelow }) }, output, {
          ...options,
          userXattr: options.userXattr ?? false,
          ...(current && { ahead: current }),
        });
        ahead = next && !stored?.record(next.id) ? readAhead(next.layer, options) : undefined;
        const written = await writing.catch((error: unknown) => {
          throw inImage(one.image, error);
        });
        roots.set(one.id, written.root);
        records.push(layerRecord(one, written));
      }
      onLayer?.(one.layer.descriptor.digest);
    }
  } finally {
    await ahead?.[Symbol.asyncDispose]();
  }
  return { records, taken };
}

/** The image may now have the same layer with another compression. */
async function blobOf(known: LayerRecord, { layer }: NextLayer, call: CallOptions): Promise<LayerRecord['blob']> {
  const { digest, size } = layer.descriptor;
  if (digest === known.blob.digest) return known.blob;
  const compression = await storedLayerCompression(layer, call);
  return { digest, size, ...(compression && { compression }) };
}

/** Each layer once, over all images. */
function distinctLayers(images: readonly MergedImage[]): readonly NextLayer[] {
  const found = new Map<string, NextLayer>();
  for (const { names, images: same, layerIds: ids } of images) {
    const [{ layers, config, label }] = same as readonly [ReadableImage];
    const image = names[0] ?? label;
    const created = createdTime(config.created);
    ids.forEach((id, at) => {
      if (found.has(id)) return;
      const lower = ids.slice(0, at).reverse();
      found.set(id, {
        id,
        image,
        lower,
        created,
        layer: layers[at] as LayerToWrite['layer'],
        below: layers.slice(0, at),
      });
    });
  }
  return [...found.values()];
}

function layerRecord({ id, lower, created, layer }: NextLayer, written: WrittenLayer): LayerRecord {
  const { digest, size } = layer.descriptor;
  const { compression, diffId, uids, gids } = written;
  const [parent] = lower;
  return {
    id,
    ...(parent !== undefined && { parent }),
    created,
    blob: { digest, size, ...(compression && { compression }) },
    diffId,
    size: written.size,
    uids,
    gids,
  };
}
