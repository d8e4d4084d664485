// The compression of layers, and their media types.
import { OCI_LAYERS } from '../../oci/media-types.ts';

export interface BuiltLayerCompression {
  readonly kind: 'gzip' | 'zstd' | 'none';
  /** If absent, the level that costs the least time (io/compression/compress). */
  readonly level?: number;
}

export function layerMediaType({ kind }: BuiltLayerCompression): string {
  return OCI_LAYERS[kind];
}
