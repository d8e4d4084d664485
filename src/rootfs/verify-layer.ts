// Reads a whole layer and checks everything about it: its compression, its diffID, its archive.
import { type Compression, peekCompression } from '../io/compression/compression.ts';
import { decompressed } from '../io/compression/decompress.ts';
import type { CallOptions } from '../io/streams/bytes.ts';
import { measured } from '../io/streams/measure.ts';
import { type Digest, digestAlgorithm } from '../oci/digest.ts';
import type { Layer, LayerIndex } from './contract.ts';
import { indexArchive } from './layer-index.ts';

export interface VerifiedLayer {
  readonly compression: Compression | undefined;
  readonly diffId: Digest;
  /** Size of the uncompressed archive in bytes. */
  readonly size: number;
  readonly index: LayerIndex;
}

/** Digest and size of the blob are verified by the stream. Errors: DIGEST_INVALID, SIZE_INVALID, TAR_INVALID, COMPRESSION_INVALID, those of the transport. */
export async function verifyLayer(layer: Layer, options: CallOptions = {}): Promise<VerifiedLayer> {
  const { compression, body } = await peekCompression(await layer.open(options));
  const archive = measured(decompressed(body), layer.diffId && digestAlgorithm(layer.diffId));
  const index = await indexArchive(archive.body);
  const { digest: diffId, size } = archive.result();
  return { compression, diffId, size, index };
}
