// The option --gc of `serve` and `lreg_start`.
import { ImagesError } from '../../oci/errors.ts';
import type { CollectionSchedule } from '../../tasks/private-registry/registry-config.ts';
import type { Options } from './options.ts';

/** Errors: USAGE. */
export function collectionSchedule(options: Options): { readonly gc?: CollectionSchedule } {
  const gc = options.text('gc');
  if (gc === undefined) return {};
  if (gc === 'daily' || gc === 'off') return { gc };
  throw new ImagesError('USAGE', `garbage is not collected so [--gc=${gc}]`, { hint: 'Write --gc=daily or --gc=off.' });
}
