// A layer's archive on its way into the store: hashed, compressed, hashed again, staged; one pass.
import { compressed } from '../../io/compression/compress.ts';
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digester } from '../../oci/digest.ts';
import type { BlobWriter } from '../contract.ts';
import { type BuiltLayerCompression, layerMediaType } from './compression.ts';

export interface BuiltLayerBlob {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

export interface WriteOptions extends CallOptions {
  readonly blobs: BlobWriter;
  readonly compression: BuiltLayerCompression;
  /** With the bytes of the archive that have been taken. */
  onBytes?(count: number): void;
}

export async function writeBuiltLayer(archive: Bytes, options: WriteOptions): Promise<BuiltLayerBlob> {
  const { blobs, compression, signal, onBytes } = options;
  const plain = digester('sha256');
  const packed = digester('sha256');
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of archive) {
      signal?.throwIfAborted();
      plain.update(chunk);
      onBytes?.(chunk.length);
      yield chunk;
    }
  }
  await using blob = await blobs.start();
  let size = 0;
  const { kind, level } = compression;
  const bytes = kind === 'none' ? hashed() : compressed(hashed(), { kind, ...(level !== undefined && { level }) });
  for await (const chunk of bytes) {
    packed.update(chunk);
    size += chunk.length;
    await blob.append(chunk);
  }
  const digest: Digest = `sha256:${packed.digest('hex')}`;
  await blob.finish(digest);
  return {
    descriptor: { mediaType: layerMediaType(compression), digest, size },
    diffId: `sha256:${plain.digest('hex')}`,
  };
}
