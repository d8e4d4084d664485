// The archive of the file system of layers that a test writes.
import { applyLayers } from '../apply-layers.ts';
import { exportTree } from '../export-tree.ts';
import { indexLayers } from '../layer-index.ts';
import { layerOf, type TestEntry } from './layers.ts';

export async function exported(...layers: readonly (readonly TestEntry[])[]): Promise<Uint8Array> {
  const stack = await Promise.all(layers.map((entries) => layerOf(entries, { gzip: true })));
  const tree = applyLayers(await indexLayers(stack));
  return Buffer.concat(await Array.fromAsync(exportTree(tree, stack)));
}
