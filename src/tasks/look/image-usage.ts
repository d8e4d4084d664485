// `usage`: where the bytes of an image are, and which of them later layers have wasted.
import { layerInstructions } from '../../rootfs/instructions.ts';
import { indexLayers } from '../../rootfs/layer-index.ts';
import { type DirectoryUsage, type LayerUsage, usageOf, type WastedFile } from '../../rootfs/usage.ts';
import { printableName } from '../../tar/names.ts';
import { callOptions, type TaskCall } from '../settings.ts';
import type { OpenedImage } from '../transfer/tree-source.ts';
import { layerId } from './select-layers.ts';

export interface ImageUsage {
  /** Bytes of the layers as their place has them. */
  readonly size: number;
  /** Bytes of the files in all layers. */
  readonly bytes: number;
  /** Of these, what a later layer has deleted or replaced. */
  readonly wasted: number;
  /** What a container sees. */
  readonly visible: { readonly files: number; readonly bytes: number };
  /** The base first. */
  readonly layers: readonly UsedLayer[];
  /** The biggest first. */
  readonly directories: readonly UsedDirectory[];
  /** The biggest first; layers are counted from the base, 1 first. */
  readonly wastedFiles: readonly WastedFile[];
}

export interface UsedLayer extends LayerUsage {
  /** The layer's place, counted from the base, 1 first. */
  readonly at: number;
  /** The layer's ID: see `layerId`. */
  readonly layer: string;
  /** Bytes, as its place has it. */
  readonly size: number;
  /** Empty where the history does not say it. */
  readonly instruction: string;
}

export type UsedDirectory = Omit<DirectoryUsage, 'children'>;

/** `depth`: how far below the root directories are listed; what is below counts for them. Errors: TAR_INVALID, COMPRESSION_INVALID, those of the place. */
export async function imageUsage(
  image: Pick<OpenedImage, 'layers' | 'config'>,
  { depth }: { readonly depth: number },
  call: TaskCall = {},
): Promise<ImageUsage> {
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
