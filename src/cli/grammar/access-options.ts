// The options of `serve` and `lreg_start` that say who may do what.
import type { AccessOptions } from '../../tasks/private-registry/serving-access.ts';
import type { Options } from './options.ts';

/** Ranges are checked by the task. */
export function accessOptions(options: Options): AccessOptions {
  const ranges = (name: string) =>
    options
      .texts(name)
      .flatMap((text) => text.split(','))
      .map((text) => text.trim());
  const [readOnlyFrom, writeFrom] = [ranges('read-only-from'), ranges('write-from')];
  const trustedProxies = ranges('trusted-proxies');
  const auth = options.text('auth');
  return {
    ...(auth !== undefined && { auth }),
    ...(options.flag('read-only') && { readOnly: true }),
    ...(readOnlyFrom.length > 0 && { readOnlyFrom }),
    ...(writeFrom.length > 0 && { writeFrom }),
    ...(trustedProxies.length > 0 && { trustedProxies }),
  };
}
