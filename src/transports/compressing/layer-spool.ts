// Layers, compressed once each into files without a name, whichever images of a run have them. Digests and sizes of both forms are taken on the way.
import type { FileHandle } from 'node:fs/promises';
import { pack } from '../../io/compression/pack.ts';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { readFileBytes } from '../../io/files/file-bytes.ts';
import { spooled } from '../../io/files/temporary-file.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { tapped } from '../../io/streams/verify.ts';
import type { Digest } from '../../oci/digest.ts';
import type { LayerMemory, LayerSpool, LayerWatcher, Plain, SpooledLayer } from './contract.ts';

export interface LayerSpoolOptions {
  /** Where the files are. */
  readonly directory: string;
  readonly kind: 'gzip' | 'zstd';
  /** What compresses best for its time, when absent. */
  readonly level?: number;
  /** Layers that are compressed at a time: each takes all processors where it is large. */
  readonly concurrency?: number;
  readonly memory?: LayerMemory;
  /** Is called with the uncompressed bytes as they come. */
  onBytes?(count: number): void;
}

export function layerSpool({
  directory,
  kind,
  level,
  concurrency = 2,
  memory,
  onBytes,
}: LayerSpoolOptions): LayerSpool {
  const layers = new Map<Digest, Promise<SpooledLayer>>();
  const handles: FileHandle[] = [];
  const limit = createLimiter(concurrency);
  let watcher: LayerWatcher | undefined;

  /** What is known of the layer is verified by its stream; else it is measured. */
  const compress = async (body: Bytes, known?: Plain): Promise<SpooledLayer> => {
    watcher?.begins();
    const counted = onBytes ? tapped(body, ({ length }) => onBytes(length)) : body;
    const packing = pack(counted, { kind, ...(level !== undefined && { level }), ...(known && { expected: known }) });
    const handle = await spooled(packing.body, directory);
    handles.push(handle);
    const { plain, packed: form } = packing.result();
    const { digest: diffId, size: plainSize } = plain;
    await memory?.rememberLayer(diffId, form);
    const open = (from: number) => readFileBytes(handle, { from });
    const layer: SpooledLayer = { ...form, compression: kind, diffId, plainSize, open };
    watcher?.compressed(layer);
    return layer;
  };

  return {
    kind,
    ...(memory && { memory }),
    async keep(body) {
      const layer = await compress(body);
      // An equal one that came before is as good: both are the same bytes.
      layers.set(layer.diffId, Promise.resolve(layer));
      return layer;
    },
    layer(blob, open) {
      const under = layers.get(blob.digest);
      if (under) return under;
      const made = limit(async () => await compress(await open(), blob));
      layers.set(blob.digest, made);
      // Who comes later tries again.
      made.catch(() => layers.delete(blob.digest));
      return made;
    },
    announce: () => watcher?.begins(),
    watch(other) {
      watcher = other;
    },
    known: async (diffId) => (await layers.get(diffId)?.catch(() => undefined)) ?? (await memory?.layer(diffId)),
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(layers.values());
      layers.clear();
      for (const handle of handles.splice(0)) await handle.close();
    },
  };
}
