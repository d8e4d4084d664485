// Resolves the items of `make`: image references, locations, overlays whose images are built, overlays whose manifests use images. Each becomes a name and a source.

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes } from '../../io/streams/bytes.ts';
import { checkArguments, OBJECT, objectWith } from '../../oci/arguments.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import {
  type FullReference,
  formatReference,
  fullReference,
  parseReference,
  type Reference,
} from '../../oci/reference.ts';
import type { Warning } from '../../scan/contract.ts';
import { locate } from '../../transports/location.ts';
import { SETTINGS, TEXTS } from '../arguments.ts';
import { buildOverlayImage } from '../mkimage/build-overlay-image.ts';
import type { ChartValues } from '../overlays/chart-values.ts';
import { inputImages } from '../overlays/input-images.ts';
import { overlayImages } from '../overlays/overlay-images.ts';
import { findOverlay } from '../overlays/overlays.ts';
import { pauseImage } from '../overlays/pause-image.ts';
import { withoutQuotes } from '../overlays/reference-list.ts';
import { type Settings, type TaskCall, type World, withoutRepeats } from '../settings.ts';
import { type OpenedSource, type OpenSourceOptions, openSource } from '../transfer/open-source.ts';

export interface MakeRequest {
  /** As a user writes them; `-` stands for the content of `input`. */
  readonly items: readonly string[];
  /** Overlays: the images in their manifests are included, and the pause image. */
  readonly imagesOf: readonly string[];
  /** Values for charts in these overlays. */
  readonly chartValues?: ChartValues;
  readonly input?: Bytes;
}

export interface MakeItem {
  /** The text that was given or found. */
  readonly text: string;
  /** The image's name. Absent if the location gives no name for its image. */
  readonly name?: FullReference;
  open(options: OpenSourceOptions): Promise<OpenedSource>;
}

export interface MakeItemOptions {
  /** The pause image. Absent: taken from the environment. */
  readonly pause?: string;
  readonly onWarning?: (warning: Warning) => void;
}

/**
 * The items for `makePrepulled`: each has a name and is opened later. Images of overlays are built at once. Errors: REFERENCE_INVALID, OVERLAY_UNKNOWN,
 * FILE_UNREADABLE, those of building.
 */
export async function makeItems(
  request: MakeRequest,
  settings: Settings,
  options: MakeItemOptions,
): Promise<readonly MakeItem[]> {
  checkArguments({
    request: [request, objectWith({ items: TEXTS, imagesOf: TEXTS })],
    settings: [settings, SETTINGS],
    options: [options, OBJECT],
  });
  const { items, imagesOf, input = nothing(), chartValues } = request;
  // Of all items together, also when they are opened later.
  const noting = withoutRepeats(settings);
  const found = new Map<string, MakeItem>();
  const add = (item: MakeItem): void => {
    found.set(item.name ? formatReference(item.name) : item.text, item);
  };
  for (const item of items) {
    if (item === '-') for (const image of await listed(input, options)) add(imageItem(image, noting));
    else if (/[:@]/.test(item)) add(imageItem(withoutQuotes(item), noting));
    else add(await overlayItem(item, noting));
  }
  if (imagesOf.length > 0 || chartValues) {
    const { images, warnings } = await overlayImages(
      { items: imagesOf, input, ...(chartValues && { chartValues }) },
      noting,
    );
    for (const warning of warnings) options.onWarning?.(warning);
    const pause = await pauseImage(options.pause, noting);
    for (const image of pause === undefined ? images : [...images, pause]) add(imageItem(image, noting));
  }
  return [...found.values()];
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function listed(input: Bytes, { onWarning }: MakeItemOptions): Promise<readonly string[]> {
  const { findings, warnings } = await inputImages(input);
  for (const warning of warnings) onWarning?.(warning);
  return findings.filter(({ certainty }) => certainty === 'used').map(({ image }) => image);
}

/** Errors: REFERENCE_INVALID. */
function imageItem(text: string, settings: Settings): MakeItem {
  const open: MakeItem['open'] = (options) => openSource(text, settings, options);
  const location = locate(text, settings.transports);
  if (location.transport !== 'name') {
    const named = location.transport === 'docker' ? location.reference : undefined;
    return { text, open, ...(named && { name: pulledName(named) }) };
  }
  const { reference } = location;
  const name = pulledName(reference);
  return { text, name, open: (options) => openAnywhere(reference, text, settings, options) };
}

/** The name that a runtime gives to a pulled image. `name:tag@digest` is pulled by digest and loses its tag. */
export function pulledName(reference: Reference): FullReference {
  const { tag, digest, ...repository } = fullReference(reference);
  return { ...repository, ...(digest ? { digest } : tag ? { tag } : {}) };
}

/** Searches the local store, a Docker daemon, the private registry, and at last the image's own registry. */
async function openAnywhere(
  reference: Reference,
  text: string,
  settings: Settings,
  options: OpenSourceOptions,
): Promise<OpenedSource> {
  const name = fullReference(reference);
  // A name without a host means Docker Hub; if that is not found, the name in the private registry, from which VMs would pull it.
  const names = reference.host === undefined ? [name, reference] : [name];
  for (const one of names) {
    try {
      return await openSource(formatReference(one), settings, options);
    } catch (error) {
      if (!isImagesError(error, 'MANIFEST_UNKNOWN')) throw error;
      const isLast = one === names.at(-1);
      if (isLast && (name.tag?.startsWith('local') || name.host === 'localhost')) throw notBuilt(text, error);
    }
  }
  return await openSource(`docker://${formatReference(name)}`, settings, options);
}

function notBuilt(text: string, cause: unknown): ImagesError {
  return new ImagesError('MANIFEST_UNKNOWN', `an image that is built here is not there [${text}]`, {
    hint: 'Build it first: `images mkimage` puts it into the local store.',
    cause,
  });
}

/** `OVL` means the overlay's directory `image`, `OVL/SUBDIR` that subdirectory. Errors: OVERLAY_UNKNOWN, FILE_UNREADABLE, those of building. */
async function overlayItem(item: string, settings: Settings): Promise<MakeItem> {
  const directory = await imageDirectory(item, settings);
  const built = await buildOverlayImage(directory, settings);
  const name = pulledName(parseReference(built.name));
  return { text: item, name, open: built.open };
}

async function imageDirectory(item: string, settings: World & TaskCall): Promise<string> {
  try {
    const { kind, path } = await findOverlay(item, settings);
    if (kind === 'file') throw noOverlay(item);
    const image = join(path, 'image');
    // `OVL/SUBDIR` may be resolved as a path already. Then `path` is the directory to build.
    return item.includes('/') && !(await isThere(image)) && (await isBuildable(path)) ? path : image;
  } catch (error) {
    const slash = item.indexOf('/');
    if (slash <= 0 || !isImagesError(error, 'OVERLAY_UNKNOWN')) throw isImagesError(error) ? noOverlay(item) : error;
    try {
      const { path } = await findOverlay(item.slice(0, slash), settings);
      return join(path, item.slice(slash + 1));
    } catch (cause) {
      throw isImagesError(cause, 'OVERLAY_UNKNOWN') ? noOverlay(item) : cause;
    }
  }
}

async function isBuildable(directory: string): Promise<boolean> {
  return (await isThere(join(directory, 'manifest.json'))) || (await isThere(join(directory, 'Dockerfile')));
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

function noOverlay(item: string): ImagesError {
  return new ImagesError('OVERLAY_UNKNOWN', `neither an overlay nor an image reference [${item}]`, {
    hint: 'An image needs its tag, NAME:TAG; an overlay is found through $XCLUSTER or $XCLUSTER_OVLPATH.',
  });
}
