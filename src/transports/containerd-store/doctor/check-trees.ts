// The rules about the trees of snapshots. Where the blob of the layer is there, it is unpacked once more, and compared entry by entry.
import type { CallOptions } from '../../../io/streams/bytes.ts';
import { addAll } from '../../../oci/add-all.ts';
import type { Digest } from '../../../oci/digest.ts';
import { isImagesError } from '../../../oci/errors.ts';
import type { Layer } from '../../../rootfs/contract.ts';
import { deviceShape } from '../../../rootfs/device-shape.ts';
import { indexLayer } from '../../../rootfs/layer-index.ts';
import { type LayerDirectory, layerNames, shownBelow } from '../../../rootfs/layer-names.ts';
import { NotPlain, overlayForm } from '../../../rootfs/overlay-form.ts';
import { printableName } from '../../../tar/names.ts';
import { readTar } from '../../../tar/reader.ts';
import type { SoughtEntry } from '../../archive/seek-entries.ts';
import { entryDifferences } from '../../containers-storage/doctor/check-tree.ts';
import { type ContainerdArchive, entryBytes } from '../containerd-archive.ts';
import { MAX_LAYERS } from '../containerd-images.ts';
import type { FoundImage } from '../list-containerd.ts';
import { type ContainerdProblem, containerdProblem } from './containerd-problem.ts';

export interface CheckedTree {
  readonly id: number;
  readonly problems: readonly ContainerdProblem[];
}

interface Known {
  readonly layer: Layer;
  readonly below: readonly Layer[];
  /** The chain ids of the layers below, the uppermost first. */
  readonly lower: readonly string[];
}

export interface CheckTreesOptions extends CallOptions {
  readonly wholeSeconds?: boolean;
}

/** In the order of their numbers, so parents come first. Errors: only those of reading the file. */
export async function* checkTrees(
  archive: ContainerdArchive,
  images: readonly FoundImage[],
  options: CheckTreesOptions,
): AsyncGenerator<CheckedTree> {
  const layers = knownLayers(archive, images);
  const chains = new Map(archive.meta.snapshots.map(({ name, chain }) => [name, chain]));
  const names = new Map<string, LayerDirectory>();
  const sorted = archive.snapshotter.snapshots.toSorted((a, b) => (a.id ?? 0) - (b.id ?? 0));
  for (const { id, name } of sorted) {
    options.signal?.throwIfAborted();
    const chain = chains.get(name);
    if (id === undefined) continue;
    const tree = treeBelowFs(archive, id);
    const problems = [...treeProblems(tree, `${archive.directory(id)}/fs`)];
    const found = layerNames();
    for (const [path, entry] of tree) found.add(path, entry);
    if (chain !== undefined) names.set(chain, found.root);
    const known = chain === undefined ? undefined : layers.get(chain);
    // Those of containerd hide the same names in another way.
    const isOurs = ![...tree.values()].some(({ xattrs }) => xattrs.has(OPAQUE));
    if (known && isOurs) addAll(problems, await differing(tree, known, names, options));
    yield { id, problems };
  }
}

type Tree = ReadonlyMap<string, SoughtEntry>;

function treeBelowFs(archive: ContainerdArchive, id: number): Tree {
  const prefix = `${archive.directory(id)}/fs/`;
  const tree = archive.tree(id).flatMap(([path, entry]): [string, SoughtEntry][] => {
    if (path !== 'fs' && !path.startsWith('fs/')) return [];
    const target = entry.linkname.replace(/^(?:\.?\/)+/, '');
    const linkname =
      entry.type === 'hardlink' && target.startsWith(prefix) ? target.slice(prefix.length) : entry.linkname;
    return [[path.slice(3), { ...entry, linkname }]];
  });
  return new Map(tree);
}

function* treeProblems(tree: Tree, directory: string): Generator<ContainerdProblem> {
  for (const [path, { type, linkname, xattrs }] of tree) {
    const name = printableName(path);
    if (/(?:^|\/)\.wh\.[^/]*$/.test(path))
      yield containerdProblem('whiteout-files', `a whiteout is left as a file [${name}]`);
    if (type === 'hardlink' && !tree.has(linkname)) {
      yield containerdProblem(
        'hard-link',
        `a hard link leads out of ${directory} [${name} → ${printableName(linkname)}]`,
      );
    }
    for (const key of xattrs.keys()) {
      // containerd itself marks opaque directories so.
      const isOpaque = type === 'directory' && key === OPAQUE;
      if (/^(?:trusted|user)\.overlay\./.test(key) && !isOpaque)
        yield containerdProblem('overlay-xattr', `${key} [${name}]`);
    }
  }
}

/** The layers whose blobs are there, by chain id, with all below them. */
function knownLayers(archive: ContainerdArchive, images: readonly FoundImage[]): ReadonlyMap<string, Known> {
  const known = new Map<string, Known>();
  for (const { manifest, config, chain } of images) {
    if (chain.length > MAX_LAYERS) continue;
    const layers = (manifest?.layers ?? []).slice(0, MAX_LAYERS).map((descriptor, at): Layer | undefined => {
      const entry = archive.blob(descriptor.digest);
      const diffId = config?.diffIds[at] as Digest | undefined;
      if (entry?.type !== 'file' || !diffId) return undefined;
      return { descriptor, diffId, open: () => entryBytes(archive.handle, entry) };
    });
    for (const [at, one] of chain.entries()) {
      const layer = layers[at];
      const below = layers.slice(0, at).filter((lower) => lower !== undefined);
      if (layer && below.length === at) known.set(one, { layer, below, lower: chain.slice(0, at).reverse() });
    }
  }
  return known;
}

const DIRECTORY = 'snapshot';
const OPAQUE = 'trusted.overlay.opaque';

async function differing(
  tree: Tree,
  known: Known,
  names: ReadonlyMap<string, LayerDirectory>,
  options: CheckTreesOptions,
): Promise<readonly ContainerdProblem[]> {
  try {
    return await compared(tree, known, names, options);
  } catch (error) {
    if (!(error instanceof NotPlain) && (!isImagesError(error) || error.code === 'ABORTED')) throw error;
    if (!(error instanceof NotPlain)) return [containerdProblem('tree', (error as Error).message)];
  }
  const index = await indexLayer(known.layer, options);
  return await compared(tree, known, names, { ...options, index });
}

async function compared(
  tree: Tree,
  { layer, below, lower }: Known,
  names: ReadonlyMap<string, LayerDirectory>,
  { wholeSeconds = false, ...options }: CheckTreesOptions & Pick<Parameters<typeof overlayForm>[1], 'index'>,
): Promise<readonly ContainerdProblem[]> {
  const problems: ContainerdProblem[] = [];
  const add = (text: string) => problems.push(containerdProblem('tree', text));
  const overlay = { directory: DIRECTORY, onlyDevices: true };
  const shown = shownBelow(lower.flatMap((chain) => names.get(chain) ?? []));
  const form = overlayForm(layer, {
    ...options,
    ...overlay,
    below,
    reshape: (own) => deviceShape(own, shown, overlay),
  });
  let diffId: Digest | undefined;
  async function* written(): AsyncGenerator<Uint8Array> {
    let step = await form.next();
    for (; !step.done; step = await form.next()) yield* step.value;
    diffId = step.value.diffId;
  }
  const seen = new Set<string>();
  for await (const expected of readTar(written())) {
    const path = expected.name.slice(DIRECTORY.length + 1).replace(/\/+$/, '');
    const name = printableName(path || '/');
    const entry = linked(tree, path);
    seen.add(path);
    if (!entry) add(`${name} is not there`);
    else if (expected.type === 'hardlink') {
      if (linked(tree, expected.linkname.slice(DIRECTORY.length + 1)) !== entry) add(`${name} has another target`);
    } else for (const what of entryDifferences(entry, expected, wholeSeconds)) add(`${name} has ${what}`);
  }
  for (const path of tree.keys()) if (!seen.has(path)) add(`${printableName(path)} is not in the layer`);
  if (diffId !== layer.diffId) add(`the layer has the digest ${diffId}, the config says ${layer.diffId}`);
  return problems;
}

/** Which name of a file comes first, and which are links to it, does not matter. */
function linked(tree: Tree, path: string): SoughtEntry | undefined {
  let entry = tree.get(path);
  for (let links = 0; entry?.type === 'hardlink' && links < 64; links++) entry = tree.get(entry.linkname);
  return entry;
}
