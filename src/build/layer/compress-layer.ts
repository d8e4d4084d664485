// The bytes of a layer, compressed as the user wants it.
import { Readable } from 'node:stream';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { Bytes } from '../../registry/contract.ts';
import type { LayerCompression } from './compression.ts';

export function compressLayer(bytes: Bytes, { kind, level }: LayerCompression): Bytes {
  if (kind === 'none') return bytes;
  if (kind === 'gzip') return Readable.from(bytes).pipe(createGzip({ level: level ?? 6, chunkSize: 1 << 18 }));
  const params = { [constants.ZSTD_c_compressionLevel]: level ?? 3 };
  return Readable.from(bytes).pipe(createZstdCompress({ params, chunkSize: 1 << 18 }));
}
