// The image of an overlay's directory (`OVL/image` with its tar script), built for `make`.
import { ImagesError } from '../oci/errors.ts';
import type { OpenedSource, OpenSourceOptions } from './open-source.ts';
import type { Settings } from './settings.ts';

export interface BuiltImage {
  /** As it was built: `host/name:tag`. */
  readonly name: string;
  open(options: OpenSourceOptions): Promise<OpenedSource>;
}

/** Errors: UNSUPPORTED. */
export async function buildOverlayImage(directory: string, _settings: Settings): Promise<BuiltImage> {
  throw new ImagesError('UNSUPPORTED', `images of overlays cannot be built yet [${directory}]`, {
    hint: 'Name the image by its reference.',
  });
}
