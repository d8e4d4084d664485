// A layer read whole, for all that can be said of it: its compression, its diffID, its archive.
import { type Compression, compressionOf, decompressed } from '../io/decompress.ts';
import { tapped } from '../io/verify.ts';
import { type Digest, digestAlgorithm, digester } from '../oci/digest.ts';
import type { Bytes, CallOptions } from '../registry/contract.ts';
import { readTar } from '../tar/reader.ts';
import type { IndexedEntry, Layer, LayerIndex } from './contract.ts';
import { cleanPath } from './path.ts';

export interface VerifiedLayer {
  readonly compression: Compression | undefined;
  readonly diffId: Digest;
  /** Uncompressed, in bytes. */
  readonly size: number;
  readonly index: LayerIndex;
}

/** The blob's digest and size are verified by who opens it. Errors: DIGEST_INVALID, SIZE_INVALID, TAR_INVALID, COMPRESSION_INVALID, the place's. */
export async function verifyLayer(layer: Layer, options: CallOptions = {}): Promise<VerifiedLayer> {
  const algorithm = layer.diffId ? digestAlgorithm(layer.diffId) : 'sha256';
  const hash = digester(algorithm);
  let size = 0;
  let compression: Compression | undefined;
  const blob = firstSeen(await layer.open(options), (bytes) => {
    compression = compressionOf(bytes);
  });
  const archive = tapped(decompressed(blob), (chunk) => {
    hash.update(chunk);
    size += chunk.length;
  });
  const entries: IndexedEntry[] = [];
  for await (const entry of readTar(archive, { tail: () => {} })) {
    const { records: _, body: __, stored: ___, ...header } = entry;
    entries.push({ ...header, path: cleanPath(entry.name) });
  }
  return { compression, diffId: `${algorithm}:${hash.digest('hex')}`, size, index: { entries } };
}

/** Shows the first bytes, as many as tell a compression. */
async function* firstSeen(blob: Bytes, see: (bytes: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  let first: Uint8Array | undefined = new Uint8Array();
  for await (const chunk of blob) {
    if (first) {
      first = Buffer.concat([first, chunk.subarray(0, 16)]);
      if (first.length >= 8) {
        see(first);
        first = undefined;
      }
    }
    yield chunk;
  }
  if (first) see(first);
}
