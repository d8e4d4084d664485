// `make` as one use case: what the items are, where the file goes, and the file.
import { checkArguments, objectWith } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { OPTIONS, SETTINGS, TEXTS } from '../arguments.ts';
import type { Settings } from '../settings.ts';
import { type MakeItemOptions, type MakeRequest, makeItems } from './make-items.ts';
import { type MakeFormat, makeOutput } from './make-output.ts';
import { type MadePrepulled, type MakeOptions, makePrepulled } from './make-prepulled.ts';

export interface MakeImagesOptions extends Omit<MakeOptions, 'format' | 'path' | 'send'>, MakeItemOptions {
  /** Default: `tar`. */
  readonly format?: MakeFormat;
  /** Default: a file in xcluster's directory for temporary files. With `-` the output goes to `send`. */
  readonly path?: string;
  readonly send?: MakeOptions['send'];
}

export interface MadeImages extends MadePrepulled {
  readonly format: MakeFormat;
  /** The file that was written; absent after a dry run. */
  readonly path?: string;
}

/**
 * Finds and builds what the items name, and writes it in a form that VMs boot with. Errors: USAGE (it is not said where to write to, or a form that cannot be
 * updated), those of `makeItems` and `makePrepulled`.
 */
export async function makeImages(
  request: MakeRequest,
  settings: Settings,
  options: MakeImagesOptions = {},
): Promise<MadeImages> {
  checkArguments({
    request: [request, objectWith({ items: TEXTS, imagesOf: TEXTS })],
    settings: [settings, SETTINGS],
    options: [options, OPTIONS],
  });
  const { format = 'tar', dryRun = false, send = nowhere } = options;
  const path = dryRun ? undefined : (options.path ?? (await makeOutput(format, settings)));
  const items = await makeItems(request, settings, options);
  const made = await makePrepulled(items, settings, { ...options, format, path: path ?? '', send });
  return { ...made, format, ...(path !== undefined && { path }) };
}

async function nowhere(): Promise<never> {
  throw new ImagesError('USAGE', 'it is not said what takes the output [-]', {
    hint: 'Give the option `send`, or a path.',
  });
}
