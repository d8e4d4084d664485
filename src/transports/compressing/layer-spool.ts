// Compresses each layer once, into an unnamed file, for all images of a run. Digests and sizes of both forms are measured on the way.
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
  /** The directory of the files. */
  readonly directory: string;
  readonly kind: 'gzip' | 'zstd';
  /** When absent, the level with the best ratio for its time. */
  readonly level?: number;
  /** How many layers are compressed at a time. A large layer uses all processors. */
  readonly concurrency?: number;
  readonly memory?: LayerMemory;
  /** Called with the number of uncompressed bytes, as they are read. */
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

  /** Verifies the stream against `known`, or measures it if nothing is known. */
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
      // An equal layer may have been spooled before. Both have the same bytes, so either will do.
      layers.set(layer.diffId, Promise.resolve(layer));
      return layer;
    },
    layer(blob, open) {
      const under = layers.get(blob.digest);
      if (under) return under;
      const made = limit(async () => await compress(await open(), blob));
      layers.set(blob.digest, made);
      // A failure is not kept: the next caller tries again.
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
