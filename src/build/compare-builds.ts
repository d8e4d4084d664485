// Two builds of the same, compared: what is not the same every time, file by file.
import type { CallOptions } from '../io/streams/bytes.ts';
import { applyLayers } from '../rootfs/apply-layers.ts';
import { type Difference, diffTrees, type TreeWithLayers } from '../rootfs/diff-trees.ts';
import { indexLayers } from '../rootfs/layer-index.ts';
import type { BuiltImage } from './request.ts';

export interface BuildDifferences {
  /** Equal digests: nothing differs, and nothing else was looked at. */
  readonly isSame: boolean;
  readonly files: readonly Difference[];
  readonly config: boolean;
  /** Instructions whose layers differ. */
  readonly instructions: readonly string[];
}

/** What two builds of one Dockerfile have that is not the same: a build that can be repeated has no differences. */
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
