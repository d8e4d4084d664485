// The public face of rootfs/: the file system of an image: its layers indexed, applied to a tree, searched, compared, exported.
export { type ApplyOptions, type ApplyWatcher, applyLayers } from './apply-layers.ts';
export type { IndexedEntry, IndexStore, Layer, LayerIndex } from './contract.ts';
export { type Aspect, type Difference, diffTrees, type TreeWithLayers } from './diff-trees.ts';
export { exportTree } from './export-tree.ts';
export { fileContent } from './file-content.ts';
export { findInLayers } from './find-file.ts';
export { layerInstructions } from './instructions.ts';
export { type IndexedLayer, joinLayers } from './layer-archive.ts';
export { type IndexOptions, indexArchive, indexLayer, indexLayers } from './layer-index.ts';
export { pathInRoot } from './path.ts';
export {
  type FindOptions,
  findPath,
  headerOf,
  type Inode,
  type NodeAtPath,
  nodeAt,
  type RootTree,
  sortedNames,
  type TreeNode,
  walk,
} from './tree.ts';
export { type DirectoryUsage, type LayerUsage, type Usage, usageOf, type WastedFile } from './usage.ts';
export { type VerifiedLayer, verifyLayer } from './verify-layer.ts';
export { type PathEvent, type PathStory, storyOf } from './why.ts';
