// `why`: what each layer of an image did to a path, and by which instruction.
import { checkArguments, TEXT } from '../../oci/arguments.ts';
import { layerInstructions } from '../../rootfs/instructions.ts';
import { indexLayers } from '../../rootfs/layer-index.ts';
import { pathInRoot } from '../../rootfs/path.ts';
import { type PathEvent, storyOf } from '../../rootfs/why.ts';
import { OPEN_IMAGE, OPTIONS } from '../arguments.ts';
import { callOptions, type TaskCall } from '../settings.ts';
import type { OpenedImage } from '../transfer/tree-source.ts';
import { noSuchPath } from './list-files.ts';
import { layerId } from './select-layers.ts';

export interface ImageStory {
  /** Without a leading `/`. Symbolic links in its directory part have been followed. */
  readonly path: string;
  readonly events: readonly StoryEvent[];
}

export interface StoryEvent extends Omit<PathEvent, 'layer'> {
  /** The layer's number, counted from the base, from 1. */
  readonly at: number;
  /** The layer's ID: see `layerId`. */
  readonly layer: string;
  /** Empty if the history does not tell. */
  readonly instruction: string;
}

/** The events of a path, those of the base first. Errors: PATH_UNKNOWN if no layer ever had it; TAR_INVALID, COMPRESSION_INVALID, those of the transport. */
export async function imageStory(
  image: Pick<OpenedImage, 'layers' | 'config'>,
  path: string,
  call: TaskCall = {},
): Promise<ImageStory> {
  checkArguments({ image: [image, OPEN_IMAGE], path: [path, TEXT], call: [call, OPTIONS] });
  const { layers, config } = image;
  const story = storyOf(await indexLayers(layers, callOptions(call)), pathInRoot(path));
  if (story.events.length === 0) throw noSuchPath(path);
  const instructions = layerInstructions(config);
  const events = story.events.map(({ layer: at, ...event }): StoryEvent => {
    const layer = layers[at];
    return { ...event, at: at + 1, layer: layer ? layerId(layer) : '', instruction: instructions[at] ?? '' };
  });
  return { path: story.path, events };
}
