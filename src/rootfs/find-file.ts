// Finds one path of an image, reading as few layers as possible: from the top down, until lower layers cannot matter.
import { applyLayers } from './apply-layers.ts';
import type { Layer, LayerIndex } from './contract.ts';
import { type IndexOptions, indexLayer } from './layer-index.ts';
import { type FindOptions, findKnown, type NodeAtPath } from './tree.ts';

/** `layers` begin with the base. Returns `undefined` if the path does not exist. Errors: PATH_UNKNOWN for links in a circle, and those of indexLayer. */
export async function findInLayers(
  layers: readonly Layer[],
  path: string,
  options: IndexOptions & FindOptions = {},
): Promise<NodeAtPath | undefined> {
  const known: LayerIndex[] = [];
  for (let below = layers.length - 1; below >= 0; below--) {
    known.unshift(await indexLayer(layers[below] as Layer, options));
    const found = findKnown(applyLayers(known, { below }), path, options);
    if (found !== 'unknown') return found;
  }
  return undefined;
}
