// The options --gc and --scrub of `serve` and `lreg_start`.
import { ImagesError } from '../../oci/errors.ts';
import type { CollectionSchedule, ScrubSchedule } from '../../tasks/private-registry/registry-config.ts';
import type { Options } from './options.ts';

/** Errors: USAGE. */
export function collectionSchedule(options: Options): { readonly gc?: CollectionSchedule } {
  const gc = options.text('gc');
  if (gc === undefined) return {};
  if (gc === 'daily' || gc === 'off') return { gc };
  throw new ImagesError('USAGE', `unknown schedule of garbage collection [--gc=${gc}]`, {
    hint: 'Write --gc=daily or --gc=off.',
  });
}

/** Errors: USAGE. */
export function scrubSchedule(options: Options): { readonly scrub?: ScrubSchedule } {
  const scrub = options.text('scrub');
  if (scrub === undefined) return {};
  if (scrub === 'weekly' || scrub === 'off') return { scrub };
  throw new ImagesError('USAGE', `unknown schedule of checks [--scrub=${scrub}]`, {
    hint: 'Write --scrub=weekly or --scrub=off.',
  });
}
