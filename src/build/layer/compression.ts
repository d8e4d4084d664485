// How layers are compressed, and what they are called then.
import { OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from '../../oci/media-types.ts';

export interface LayerCompression {
  readonly kind: 'gzip' | 'zstd' | 'none';
  /** What wastes least time where absent (io/compress). */
  readonly level?: number;
}

export function layerMediaType({ kind }: LayerCompression): string {
  return { gzip: OCI_LAYER_GZIP, zstd: OCI_LAYER_ZSTD, none: OCI_LAYER }[kind];
}
