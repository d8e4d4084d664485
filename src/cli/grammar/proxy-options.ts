// The options of `serve` and `lreg_start` that are about fetching what is missing.
import type { ProxyOptions } from '../../tasks/private-registry/proxy-config.ts';
import type { Options } from './options.ts';

/** Hosts and ages are checked by the task. */
export function proxyOptions(options: Options): ProxyOptions {
  const hosts = options
    .texts('proxy')
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
  const ttl = options.text('ttl');
  return {
    ...((options.flag('proxy') || options.texts('proxy').length > 0) && { proxy: hosts }),
    ...(ttl !== undefined && { ttl }),
    ...(options.flag('offline') && { offline: true }),
  };
}
