// Builds the image of an overlay's directory (`OVL/image` with its tar script) for `make`. Its name comes from manifest.json, or else from the overlay.

import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { formatReference } from '../../oci/reference.ts';
import { openRuledStore } from '../private-registry/open-store.ts';
import { dataDirectory } from '../private-registry/registry-state.ts';
import type { Settings } from '../settings.ts';
import { builtImageSource } from '../transfer/built-image-source.ts';
import type { OpenedSource, OpenSourceOptions } from '../transfer/open-source.ts';
import { manifestName } from './image-form.ts';
import { makeImage } from './make-image.ts';

export interface BuiltOverlayImage {
  /** The name under which it was built: `host/name:tag`. */
  readonly name: string;
  open(options: OpenSourceOptions): Promise<OpenedSource>;
}

/** Errors: those of `makeImage`. */
export async function buildOverlayImage(directory: string, settings: Settings): Promise<BuiltOverlayImage> {
  const hasDockerfile = await stat(join(directory, 'Dockerfile')).then(
    () => true,
    () => false,
  );
  const { name } = await makeImage(directory, settings, {
    // Always rebuilt, because the script's output may have changed. Unchanged steps are cached.
    force: true,
    ...(hasDockerfile && { tag: await tagOf(directory) }),
    onEvent: (event) => {
      if (event.type === 'warning') settings.onNote?.(`WARNING: ${event.message}`);
    },
    onScript: (chunk) => settings.onNote?.(Buffer.from(chunk).toString().trimEnd()),
  });
  return {
    name: formatReference(name),
    open: async () => {
      const source = await builtImageSource(name, await openRuledStore(dataDirectory(settings), settings));
      if (!source) throw new Error(`what was just built is not there [${formatReference(name)}]`);
      return source;
    },
  };
}

/** The tag for a Dockerfile, which has no name for its image. */
async function tagOf(directory: string): Promise<string> {
  const name = await manifestName(directory);
  return name ? formatReference(name) : nameAfter(directory);
}

/** `metallb/image` becomes `library/metallb:latest`; other directories give their own name. */
function nameAfter(directory: string): string {
  const path = resolve(directory);
  const name = basename(path) === 'image' ? basename(dirname(path)) : basename(path);
  const clean = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return `library/${clean || 'image'}:latest`;
}
