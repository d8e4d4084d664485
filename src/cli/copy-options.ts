// The options that lreg_cache and lreg_preload share, as their tasks take them.
import { parsePlatformChoice } from '../oci/platform.ts';
import type { CacheOptions } from '../tasks/cache-images.ts';
import type { Options } from './options.ts';

/** Errors: PLATFORM_INVALID. */
export function copyOptions(options: Options): CacheOptions {
  const platform = options.text('platform');
  return {
    force: options.flag('force'),
    keepGoing: options.flag('keep-going'),
    dryRun: options.flag('dry-run'),
    referrers: options.flag('referrers'),
    ...(platform !== undefined && { platforms: parsePlatformChoice(platform) }),
  };
}
