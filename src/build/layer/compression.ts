// How layers are compressed, as the user says it: gzip, zstd or none, with a level.
import { ImagesError } from '../../oci/errors.ts';
import { OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from '../../oci/media-types.ts';
import { nearest } from '../../oci/nearest.ts';

export interface LayerCompression {
  readonly kind: 'gzip' | 'zstd' | 'none';
  /** The kind's own default where absent. */
  readonly level?: number;
}

const LEVELS: Readonly<Record<LayerCompression['kind'], readonly [least: number, most: number]>> = {
  gzip: [1, 9],
  zstd: [1, 19],
  none: [0, 0],
};

/** Reads `gzip`, `zstd:9`, `none`. Errors: USAGE. */
export function parseCompression(text: string): LayerCompression {
  const [kind = '', level, ...rest] = text.split(':');
  if (!isKind(kind)) {
    const meant = nearest(kind, Object.keys(LEVELS));
    throw new ImagesError('USAGE', `no compression [${text}]`, {
      hint: meant ? `Did you mean ${meant}?` : 'Write gzip, zstd or none, perhaps with a level: zstd:9.',
    });
  }
  if (level === undefined) return { kind };
  const [least, most] = LEVELS[kind];
  const value = Number(level);
  if (most === 0 || rest.length > 0 || !/^\d+$/.test(level) || value < least || value > most) {
    throw new ImagesError('USAGE', `no level of ${kind} [${text}]`, {
      hint: most === 0 ? 'none has no levels.' : `It is a number from ${least} to ${most}.`,
    });
  }
  return { kind, level: value };
}

export function layerMediaType({ kind }: LayerCompression): string {
  return { gzip: OCI_LAYER_GZIP, zstd: OCI_LAYER_ZSTD, none: OCI_LAYER }[kind];
}

function isKind(text: string): text is LayerCompression['kind'] {
  return Object.hasOwn(LEVELS, text);
}
