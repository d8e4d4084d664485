// Compares two builds of the same Dockerfile, file by file, to find what is not reproducible.
import type { CallOptions } from '../io/streams/bytes.ts';
import { applyLayers } from '../rootfs/apply-layers.ts';
import { type Difference, diffTrees, type TreeWithLayers } from '../rootfs/diff-trees.ts';
import { indexLayers } from '../rootfs/layer-index.ts';
import type { BuiltImage } from './request.ts';

export interface BuildDifferences {
  /** Both builds have the same digest. Nothing else was compared then. */
  readonly isSame: boolean;
  readonly files: readonly Difference[];
  readonly config: boolean;
  /** Instructions whose layers differ. */
  readonly instructions: readonly string[];
}

/** The differences between two builds of one Dockerfile. A reproducible build has none. */
export async function compareBuilds(
  first: BuiltImage,
  second: BuiltImage,
  options: CallOptions = {},
): Promise<BuildDifferences> {
  if (first.manifest.digest === second.manifest.digest)
    return { isSame: true, files: [], config: false, instructions: [] };
  const [before, after] = await Promise.all([treeOf(first, options), treeOf(second, options)]);
  const instructions = first.layers
    .filter(({ diffId }, at) => diffId !== second.layers[at]?.diffId)
    .map(({ instruction }) => instruction);
  return {
    isSame: false,
    files: await diffTrees(before, after, options),
    config: withoutLayers(first) !== withoutLayers(second),
    instructions,
  };
}

async function treeOf({ layers }: BuiltImage, options: CallOptions): Promise<TreeWithLayers> {
  const all = layers.map(({ layer }) => layer);
  return { tree: applyLayers(await indexLayers(all, options)), layers: all };
}

function withoutLayers({ config }: BuiltImage): string {
  const { rootfs: _, ...rest } = JSON.parse(Buffer.from(config).toString()) as Record<string, unknown>;
  return JSON.stringify(rest);
}
