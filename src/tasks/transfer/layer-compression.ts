// How layers are compressed that are uncompressed at their source: as the user says, else the fastest way.
import { join } from 'node:path';
import type { OnCopyEvent } from '../../copy/events.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { LayerSpool } from '../../transports/compressing/contract.ts';
import type { World } from '../settings.ts';

export type CompressionChoice = { readonly kind: 'none' } | { readonly kind: 'gzip' | 'zstd'; readonly level: number };

/** Docker 20.10 cannot read zstd. */
const DEFAULT: CompressionChoice = { kind: 'gzip', level: 1 };
const LEVELS = { gzip: { standard: 1, most: 9 }, zstd: { standard: 3, most: 19 } } as const;

/** Parses `gzip`, `zstd` or `none`, optionally with `:LEVEL`. Errors: USAGE. */
export function parseCompression(text: string): CompressionChoice {
  const [, kind, level] = /^(gzip|zstd|none)(?::(\d{1,2}))?$/.exec(text) ?? [];
  if (kind === 'none' && level === undefined) return { kind };
  if (kind === 'gzip' || kind === 'zstd') {
    const { standard, most } = LEVELS[kind];
    const wanted = level === undefined ? standard : Number(level);
    if (wanted >= 1 && wanted <= most) return { kind, level: wanted };
  }
  throw new ImagesError('USAGE', `--compression takes gzip, zstd or none, with a level [${text}]`, {
    hint: 'For example gzip:6 (1 to 9) or zstd:10 (1 to 19).',
  });
}

/** Returns `undefined` if layers stay as they are. */
export async function compressingSpool(
  { cache, temporaryDirectory }: World,
  compression: CompressionChoice = DEFAULT,
  onEvent?: OnCopyEvent,
): Promise<LayerSpool | undefined> {
  if (compression.kind === 'none') return undefined;
  // Loaded lazily: code that only parses options does not need it.
  const [{ layerMemory }, { layerSpool }] = await Promise.all([
    import('../../transports/compressing/layer-memory.ts'),
    import('../../transports/compressing/layer-spool.ts'),
  ]);
  const { kind, level } = compression;
  // The cache key contains the program: other programs, and other versions of this one, may compress to different bytes.
  const memory = cache && layerMemory(join(cache.directory, 'layers'), `${kind}-${level}-${cache.program}`);
  let bytes = 0;
  const onBytes = (count: number): void => {
    bytes += count;
    onEvent?.({ type: 'compressing', bytes });
  };
  return layerSpool({
    directory: temporaryDirectory,
    kind,
    level,
    ...(memory && { memory }),
    ...(onEvent && { onBytes }),
  });
}
