// How layers are compressed, and what they are called then.
import { OCI_LAYERS } from '../../oci/media-types.ts';

export interface BuiltLayerCompression {
  readonly kind: 'gzip' | 'zstd' | 'none';
  /** What wastes least time where absent (io/compression/compress). */
  readonly level?: number;
}

export function layerMediaType({ kind }: BuiltLayerCompression): string {
  return OCI_LAYERS[kind];
}
