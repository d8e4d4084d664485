// Layers, compressed once each into files without a name, whichever images of a run have them. Digests and sizes of both forms are taken on the way.
import type { FileHandle } from 'node:fs/promises';
import { compressed } from '../io/compress.ts';
import { createLimiter } from '../io/limiter.ts';
import { type Digest, digester } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import type { Bytes } from '../registry/contract.ts';
import { readFileBytes } from '../storage/fs-read.ts';
import type { CompressedForm, LayerMemory } from './layer-memory.ts';
import { spooled } from './temporary-file.ts';
import type { LayerForm } from './with-layers.ts';

export interface SpooledLayer extends LayerForm {
  readonly diffId: Digest;
  /** Of the uncompressed archive, in bytes. */
  readonly plainSize: number;
  /** The compressed bytes from `from` on. */
  open(from: number): Promise<Bytes>;
}

export interface LayerSpool extends AsyncDisposable {
  readonly kind: 'gzip' | 'zstd';
  /** Compresses a layer, whatever it is. Errors: NO_SPACE, those of the body. */
  keep(body: Bytes): Promise<SpooledLayer>;
  /** The layer with this diffID, compressed once: opened only where nobody has done it. Errors: DIGEST_INVALID, NO_SPACE, those of `open`. */
  layer(diffId: Digest, open: () => Promise<Bytes>): Promise<SpooledLayer>;
  /** What the layer is when it is compressed, where that is known without doing it. */
  known(diffId: Digest): Promise<CompressedForm | undefined>;
  readonly memory?: LayerMemory;
}

export interface LayerSpoolOptions {
  /** Where the files are. */
  readonly directory: string;
  readonly kind: 'gzip' | 'zstd';
  /** What compresses best for its time, when absent. */
  readonly level?: number;
  /** Layers that are compressed at a time: each takes all processors where it is large. */
  readonly concurrency?: number;
  readonly memory?: LayerMemory;
}

export function layerSpool({ directory, kind, level, concurrency = 2, memory }: LayerSpoolOptions): LayerSpool {
  const layers = new Map<Digest, Promise<SpooledLayer>>();
  const handles: FileHandle[] = [];
  const limit = createLimiter(concurrency);

  const compress = async (body: Bytes): Promise<SpooledLayer> => {
    const plain = measure(body);
    const packed = measure(compressed(plain.body, { kind, ...(level !== undefined && { level }) }));
    const handle = await spooled(packed.body, directory);
    handles.push(handle);
    const [diffId, form] = [plain.digest(), { digest: packed.digest(), size: packed.size() }];
    await memory?.rememberLayer(diffId, form);
    return {
      ...form,
      compression: kind,
      diffId,
      plainSize: plain.size(),
      open: (from) => readFileBytes(handle, { from }),
    };
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
    layer(diffId, open) {
      const under = layers.get(diffId);
      if (under) return under;
      const made = limit(async () => {
        const layer = await compress(await open());
        if (layer.diffId === diffId) return layer;
        throw new ImagesError(
          'DIGEST_INVALID',
          `a layer has another content: diffID is ${layer.diffId}, expected ${diffId}`,
        );
      });
      layers.set(diffId, made);
      // Who comes later tries again.
      made.catch(() => layers.delete(diffId));
      return made;
    },
    known: async (diffId) => (await layers.get(diffId)?.catch(() => undefined)) ?? (await memory?.layer(diffId)),
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(layers.values());
      layers.clear();
      for (const handle of handles.splice(0)) await handle.close();
    },
  };
}

interface Measured {
  readonly body: AsyncGenerator<Uint8Array>;
  /** Of what has passed. */
  digest(): Digest;
  size(): number;
}

function measure(body: Bytes): Measured {
  const hash = digester('sha256');
  let size = 0;
  const pass = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  return { body: pass(), digest: () => `sha256:${hash.digest('hex')}`, size: () => size };
}
