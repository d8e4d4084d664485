// Streams a layer's archive into the store in one pass: it is hashed, compressed, hashed again and staged.
import { pack } from '../../io/compression/pack.ts';
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import { tapped } from '../../io/streams/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { BlobWriter } from '../contract.ts';
import { type BuiltLayerCompression, layerMediaType } from './compression.ts';

export interface BuiltLayerBlob {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

export interface WriteOptions extends CallOptions {
  readonly blobs: BlobWriter;
  readonly compression: BuiltLayerCompression;
  /** Called with the number of archive bytes processed. */
  onBytes?(count: number): void;
}

export async function writeBuiltLayer(archive: Bytes, options: WriteOptions): Promise<BuiltLayerBlob> {
  const { blobs, compression, signal, onBytes } = options;
  const { kind, level } = compression;
  const seen = tapped(archive, ({ length }) => {
    signal?.throwIfAborted();
    onBytes?.(length);
  });
  const { body, result } = pack(seen, { kind, ...(level !== undefined && { level }) });
  await using blob = await blobs.start();
  for await (const chunk of body) await blob.append(chunk);
  const { plain, packed } = result();
  await blob.finish(packed.digest);
  return { descriptor: { mediaType: layerMediaType(compression), ...packed }, diffId: plain.digest };
}
