// Converts the options that copying commands share for their tasks.
import { parsePlatformChoice } from '../../oci/platform.ts';
import type { CacheOptions } from '../../tasks/cache/cache-images.ts';
import type { CopyOptions } from '../../tasks/transfer/copy-image.ts';
import { parseCompression } from '../../tasks/transfer/layer-compression.ts';
import type { Options } from './options.ts';

/** Errors: PLATFORM_INVALID. */
export function copyOptions(options: Options): CacheOptions {
  return { ...sharedOptions(options), keepGoing: options.flag('keep-going') };
}

/** For commands that copy one image. Errors: PLATFORM_INVALID, USAGE. */
export function oneCopyOptions(options: Options): CopyOptions {
  const compression = options.text('compression');
  return {
    ...sharedOptions(options),
    ...(compression !== undefined && { compression: parseCompression(compression) }),
  };
}

function sharedOptions(options: Options): Omit<CopyOptions, 'compression'> {
  const platform = options.text('platform');
  return {
    force: options.flag('force'),
    dryRun: options.flag('dry-run'),
    referrers: options.flag('referrers'),
    ...(platform !== undefined && { platforms: parsePlatformChoice(platform) }),
  };
}
