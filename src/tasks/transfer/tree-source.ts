// Opens an image for commands that look into it: layers report the bytes read, and their indexes are cached if the source can store them.

import type { OnCopyEvent } from '../../copy/events.ts';
import { checkArguments, objectWith, TEXT } from '../../oci/arguments.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import type { Platform } from '../../oci/platform.ts';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import type { LayerIndex } from '../../rootfs/contract.ts';
import { indexLayers } from '../../rootfs/layer-index.ts';
import type { RootTree } from '../../rootfs/tree.ts';
import { type ReadableImage, readImage } from '../../transports/readable-image.ts';
import { SETTINGS } from '../arguments.ts';
import { callOptions, type Settings } from '../settings.ts';
import { openSource, type SourceOrder } from './open-source.ts';
import { plannedLayers } from './watched-layers.ts';

export interface LookOptions {
  /** As a user writes it. */
  readonly image: string;
  readonly platform?: Platform;
  /** Where a bare name is searched first. */
  readonly order?: SourceOrder;
  readonly onEvent?: OnCopyEvent;
}

export interface OpenedImage extends ReadableImage, AsyncDisposable {}

/** Opens an image at any location to look into it. Reads its config, but no layers yet. Errors: REFERENCE_INVALID, MANIFEST_UNKNOWN, PLATFORM_UNKNOWN, and those of the transport. */
export async function openImage(options: LookOptions, settings: Settings): Promise<OpenedImage> {
  checkArguments({ options: [options, objectWith({ image: TEXT })], settings: [settings, SETTINGS] });
  const opened = await openSource(options.image, settings, options);
  try {
    const image = await readImage(opened.source, {
      ...callOptions(settings),
      ...(options.platform && { platform: options.platform }),
      machine: machinePlatform(),
      ...(opened.indexOf && { indexOf: opened.indexOf }),
    });
    const layers = plannedLayers(image.layers, options.onEvent);
    return { ...image, layers, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

export interface ImageTree extends OpenedImage {
  readonly indexes: readonly LayerIndex[];
  readonly tree: RootTree;
}

/** Opens an image and builds the tree of all its layers. Errors: those of `openImage`; TAR_INVALID, COMPRESSION_INVALID. */
export async function openTree(options: LookOptions, settings: Settings): Promise<ImageTree> {
  checkArguments({ options: [options, objectWith({ image: TEXT })], settings: [settings, SETTINGS] });
  const image = await openImage(options, settings);
  try {
    const indexes = await indexLayers(image.layers, callOptions(settings));
    return { ...image, indexes, tree: applyLayers(indexes) };
  } catch (error) {
    await image[Symbol.asyncDispose]();
    throw error;
  }
}
