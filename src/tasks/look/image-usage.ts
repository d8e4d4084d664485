// `usage`: how the bytes of an image are distributed, and how many of them later layers waste.
import { checkArguments, NUMBER, objectWith } from '../../oci/arguments.ts';
import { layerInstructions } from '../../rootfs/instructions.ts';
import { indexLayers } from '../../rootfs/layer-index.ts';
import { type DirectoryUsage, type LayerUsage, usageOf, type WastedFile } from '../../rootfs/usage.ts';
import { printableName } from '../../tar/names.ts';
import { OPEN_IMAGE, OPTIONS } from '../arguments.ts';
import { callOptions, type TaskCall } from '../settings.ts';
import type { OpenedImage } from '../transfer/tree-source.ts';
import { layerId } from './select-layers.ts';

export interface ImageUsage {
  /** Bytes of the layers as they are stored (usually compressed). */
  readonly size: number;
  /** Bytes of the files in all layers. */
  readonly bytes: number;
  /** The part of `bytes` that a later layer deleted or replaced. */
  readonly wasted: number;
  /** The files that a container sees. */
  readonly visible: { readonly files: number; readonly bytes: number };
  /** The base first. */
  readonly layers: readonly UsedLayer[];
  /** The largest first. */
  readonly directories: readonly UsedDirectory[];
  /** The largest first; layers are counted from the base, from 1. */
  readonly wastedFiles: readonly WastedFile[];
}

export interface UsedLayer extends LayerUsage {
  /** The layer's number, counted from the base, from 1. */
  readonly at: number;
  /** The layer's ID: see `layerId`. */
  readonly layer: string;
  /** Bytes of the layer as it is stored. */
  readonly size: number;
  /** Empty if the history does not tell. */
  readonly instruction: string;
}

export type UsedDirectory = Omit<DirectoryUsage, 'children'>;

/** `depth` limits the listed directories; deeper ones are counted in their parents. Errors: TAR_INVALID, COMPRESSION_INVALID, those of the transport. */
export async function imageUsage(
  image: Pick<OpenedImage, 'layers' | 'config'>,
  options: { readonly depth: number },
  call: TaskCall = {},
): Promise<ImageUsage> {
  checkArguments({
    image: [image, OPEN_IMAGE],
    options: [options, objectWith({ depth: NUMBER })],
    call: [call, OPTIONS],
  });
  const { depth } = options;
  const usage = usageOf(await indexLayers(image.layers, callOptions(call)));
  const instructions = layerInstructions(image.config);
  const layers = image.layers.map((layer, at) => ({
    at: at + 1,
    layer: layerId(layer),
    size: layer.descriptor.size,
    ...(usage.layers[at] ?? { entries: 0, bytes: 0, wasted: 0 }),
    instruction: instructions[at] ?? '',
  }));
  return {
    size: sum(layers.map(({ size }) => size)),
    bytes: sum(layers.map(({ bytes }) => bytes)),
    wasted: sum(layers.map(({ wasted }) => wasted)),
    visible: { files: usage.root.files, bytes: usage.root.bytes },
    layers,
    directories: [...below(usage.root, depth)].sort((a, b) => b.bytes - a.bytes || byName(a, b)),
    wastedFiles: usage.wasted.map((file) => ({ ...file, layer: file.layer + 1, by: file.by + 1 })),
  };
}

function* below({ path, bytes, files, children }: DirectoryUsage, depth: number): Generator<UsedDirectory> {
  if (path !== '') yield { path, bytes, files };
  if (depth > 0) for (const child of children) yield* below(child, depth - 1);
}

function byName(a: UsedDirectory, b: UsedDirectory): number {
  return printableName(a.path) < printableName(b.path) ? -1 : 1;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
