// Prepares one layer so that GNU tar can unpack it for overlayfs. Whiteouts become devices 0/0, opaque directories get attributes, no path leads through a link,
// owners are mapped to those that can be set here, and attributes of directories are completed from lower layers.
import type { CallOptions } from '../../io/streams/bytes.ts';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import type { IndexedEntry, Layer, LayerIndex } from '../../rootfs/contract.ts';
import { exportTree } from '../../rootfs/export-tree.ts';
import { linkedHeader } from '../../rootfs/linked-header.ts';
import { findPath, headerOf, type RootTree, type TreeNode, walk } from '../../rootfs/tree.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { plainHeader } from '../../tar/plain-header.ts';
import { isHarmless } from './device-numbers.ts';
import { exactNode } from './exact-node.ts';
import { type Ids, isMapped } from './ids.ts';
import { imageAttributes, opaqueAttribute } from './overlay-attributes.ts';

export interface StageLayers {
  readonly layers: readonly Layer[];
  readonly indexes: readonly LayerIndex[];
}

export interface RootArchive {
  /** Whether lower layers were consulted: the archive is then valid only above exactly these. */
  readonly dependsOnBelow: boolean;
  /** Owner ids that cannot be set here. */
  readonly strangers: ReadonlySet<number>;
  bytes(options?: CallOptions): AsyncIterable<Uint8Array>;
}

/** `at` is the index of the layer; 0 is the base. Errors: those of layers. */
export function rootArchive({ layers, indexes }: StageLayers, at: number, ids: Ids): RootArchive {
  // In this tree, layer number 1 is the layer itself, and those from 2 on are the layers below, from which entries can be borrowed.
  const tree = applyLayers([indexes[at] as LayerIndex], { below: 1 });
  const context = { ids, below: belowOf(indexes, at), strangers: new Set<number>() };
  const dependsOnBelow = prepare(tree.root, '', context);
  const sources: Layer[] = [layers[at] as Layer, layers[at] as Layer, ...layers.slice(0, at)];
  return {
    dependsOnBelow,
    strangers: context.strangers,
    bytes: (options) => exportTree(tree, sources, options),
  };
}

/** A complete file system, as an archive that can be unpacked here. */
export function treeArchive(tree: RootTree, { layers }: StageLayers, ids: Ids): RootArchive {
  const strangers = new Set<number>();
  for (const { node } of walk(tree.root)) settle(node, { ids, strangers });
  return { dependsOnBelow: true, strangers, bytes: (options) => exportTree(tree, layers, options) };
}

interface Context {
  readonly ids: Ids;
  readonly strangers: Set<number>;
}

interface Preparing extends Context {
  /** The tree of the layers below, made on first use. */
  below(): RootTree;
}

function belowOf(indexes: readonly LayerIndex[], at: number): () => RootTree {
  let tree: RootTree | undefined;
  return () => {
    tree ??= applyLayers(indexes.slice(0, at));
    return tree;
  };
}

/** Returns whether lower layers were consulted. */
function prepare(node: TreeNode, path: string, preparing: Preparing): boolean {
  let asked = borrow(node, path, preparing);
  settle(node, preparing);
  for (const [name, child] of node.children ?? []) {
    asked = prepare(child, path === '' ? name : `${path}/${name}`, preparing) || asked;
  }
  if (node.below) hide(node, preparing.ids);
  return asked;
}

/** Takes an entry from lower layers, for a directory that this layer does not describe, or a hard link to a file of another layer. */
function borrow({ inode, children }: TreeNode, path: string, { below }: Preparing): boolean {
  const entry = inode.entry;
  const borrowed = entry ? entry.type === 'hardlink' : path !== '';
  if (!borrowed) return false;
  const found = entry ? findPath(below(), entry.linkname)?.node : exactNode(below(), path);
  if (!found?.inode.entry || (children !== undefined) !== (found.children !== undefined)) return true;
  inode.entry = entry ? linkedHeader(found.inode.entry, entry) : found.inode.entry;
  inode.layer = found.inode.layer + 2;
  return true;
}

/** Adapts owners and attributes to what is possible here, and removes devices that are not. */
function settle(node: TreeNode, { ids, strangers }: Context): void {
  for (const [name, child] of node.children ?? []) {
    if (!canBe(headerOf(child), ids)) node.children?.delete(name);
  }
  const entry = node.inode.entry;
  if (!entry) return;
  const { uid, gid } = entry;
  for (const [ranges, id] of [[ids.uids, uid] as const, [ids.gids, gid] as const]) {
    if (!isMapped(ranges, id)) strangers.add(id);
  }
  const owner = { uid: isMapped(ids.uids, uid) ? uid : 0, gid: isMapped(ids.gids, gid) ? gid : 0 };
  node.inode.entry = { ...entry, ...owner, xattrs: imageAttributes(entry.xattrs) };
}

function canBe({ type, device }: TarHeader, ids: Ids): boolean {
  if (type !== 'character' && type !== 'block') return true;
  // All other devices give access to the machine. Device 0/0 is overlayfs' whiteout, which would hide what is below.
  return !ids.inUserNamespace && isHarmless(type, device);
}

function hide(node: TreeNode, ids: Ids): void {
  const { below, inode, children } = node;
  if (below?.opaque) {
    const entry = inode.entry ?? { ...WHITEOUT, type: 'directory', mode: 0o755 };
    const xattrs = new Map(entry.xattrs).set(opaqueAttribute(ids.inUserNamespace), Buffer.from('y'));
    inode.entry = { ...entry, xattrs };
  }
  for (const name of below?.gone ?? []) {
    if (!children?.has(name)) children?.set(name, { inode: { entry: WHITEOUT, layer: 1, links: 1 }, layer: 1 });
  }
}

const WHITEOUT: IndexedEntry = {
  ...plainHeader({ name: '', type: 'character', mode: 0 }),
  path: '',
  position: { head: 0, body: 0, end: 0 },
};
