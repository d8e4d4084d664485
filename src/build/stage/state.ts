// The state of a stage after some of its instructions. Immutable, so several stages can continue from it.
import type { CallOptions } from '../../io/streams/bytes.ts';
import { applyLayers } from '../../rootfs/apply-layers.ts';
import type { Layer } from '../../rootfs/contract.ts';
import { fileContent } from '../../rootfs/file-content.ts';
import { indexLayers } from '../../rootfs/layer-index.ts';
import { findPath, type Inode, type RootTree } from '../../rootfs/tree.ts';
import { isArchive } from '../files/is-archive.ts';
import { type Accounts, parseAccounts } from '../files/owners.ts';
import type { TreeSource } from '../files/tree-source.ts';
import type { Config } from './image-config.ts';

export interface StageLayer {
  readonly layer: Layer;
  /** Represents the layer in keys. Independent of times and compression. */
  readonly id: string;
  readonly isNew: boolean;
  /** The instruction that made the layer. */
  readonly instruction: string;
}

export interface StageState {
  readonly config: Config;
  /** The base first. */
  readonly layers: readonly StageLayer[];
  /** All ARGs so far, in the order of their first declaration. */
  readonly args: ReadonlyMap<string, string | undefined>;
  /** Whether this stage has its own CMD. */
  readonly hasCmd: boolean;
  readonly hasWorkdir: boolean;
}

const trees = new WeakMap<readonly StageLayer[], Promise<RootTree>>();

/** The file system of the stage, made once on first use. */
export function treeOf(layers: readonly StageLayer[], options: CallOptions = {}): Promise<RootTree> {
  const known = trees.get(layers);
  if (known) return known;
  const made = indexLayers(
    layers.map(({ layer }) => layer),
    options,
  ).then((indexes) => applyLayers(indexes));
  trees.set(layers, made);
  return made;
}

/** A stage or an image as a source of COPY. */
export async function layersSource(
  name: string,
  layers: readonly StageLayer[],
  options: CallOptions = {},
): Promise<TreeSource> {
  const tree = await treeOf(layers, options);
  const contentId = async ({ layer, entry }: Inode) => `${layers[layer]?.id} ${entry?.position.head}`;
  return {
    name,
    tree,
    layers: layers.map(({ layer }) => layer),
    contentId,
    archive: async (inode, call) => {
      const { entry, layer } = inode;
      const from = layers[layer]?.layer;
      if (entry?.type !== 'file' || !from) return undefined;
      const open = async (each?: CallOptions) => fileContent(from, entry, each);
      return (await isArchive(await open(call))) ? { id: await contentId(inode), open } : undefined;
    },
  };
}

/** The users and groups in the image; empty if it has no such files. */
export async function accountsOf(layers: readonly StageLayer[], options: CallOptions = {}): Promise<Accounts> {
  const [passwd, group] = await Promise.all([
    textOf(layers, 'etc/passwd', options),
    textOf(layers, 'etc/group', options),
  ]);
  return parseAccounts(passwd, group);
}

const MAX_TEXT = 1 << 20;

async function textOf(layers: readonly StageLayer[], path: string, options: CallOptions): Promise<string> {
  if (layers.length === 0) return '';
  const found = findPath(await treeOf(layers, options), path, { follow: true });
  const { entry, layer = 0 } = found?.node.inode ?? {};
  const from = layers[layer]?.layer;
  if (entry?.type !== 'file' || !from || entry.size > MAX_TEXT) return '';
  return Buffer.concat(await Array.fromAsync(fileContent(from, entry, options))).toString();
}
