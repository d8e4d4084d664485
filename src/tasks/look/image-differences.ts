// `diff`: the files that differ between two images.
import { ARRAY, checkArguments, objectWith } from '../../oci/arguments.ts';
import { type Aspect, type Difference, diffTrees, type TreeWithLayers } from '../../rootfs/diff-trees.ts';
import { OPTIONS } from '../arguments.ts';
import { callOptions, type TaskCall } from '../settings.ts';

export interface DifferencesOptions {
  /** Aspects that are not compared. */
  readonly ignored?: readonly Aspect[];
}

/** In the order of the trees. Contents are compared only if the sizes are equal and the layers differ. Errors: TAR_INVALID, COMPRESSION_INVALID, those of the transports. */
export async function imageDifferences(
  before: TreeWithLayers,
  after: TreeWithLayers,
  options: DifferencesOptions = {},
  call: TaskCall = {},
): Promise<readonly Difference[]> {
  checkArguments({
    before: [before, objectWith({ layers: ARRAY })],
    after: [after, objectWith({ layers: ARRAY })],
    options: [options, OPTIONS],
    call: [call, OPTIONS],
  });
  const { ignored = [] } = options;
  const all = await diffTrees(before, after, callOptions(call));
  return all
    .map((one) => ({ ...one, aspects: one.aspects.filter((aspect) => !ignored.includes(aspect)) }))
    .filter(({ change, aspects }) => change !== 'changed' || aspects.length > 0);
}
