// `images usage`: where an image's bytes are, and which of them later layers have wasted.
import { layerInstructions } from '../../rootfs/instructions.ts';
import { indexLayers } from '../../rootfs/layer-index.ts';
import { type DirectoryUsage, usageOf } from '../../rootfs/usage.ts';
import { printableName } from '../../tar/names.ts';
import { layerId } from '../../tasks/look/select-layers.ts';
import { openImage } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { positiveNumber } from '../grammar/positive-number.ts';
import { looking } from '../out/look.ts';
import { writeJson } from '../out/write-json.ts';
import { safeText } from '../process/safe-text.ts';
import { formatBytes, formatCount } from '../reporter/format.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'store', async ({ look, settings }, quiet) => {
    const { args, options, context } = invocation;
    const depth = positiveNumber(options.text('depth') ?? '2', '--depth');
    const top = positiveNumber(options.text('top') ?? '15', '--top');
    await using image = await openImage(look(args[0] as string), settings);
    const usage = usageOf(await indexLayers(image.layers, { signal: context.signal }));
    const instructions = layerInstructions(image.config);
    const layers = image.layers.map((layer, at) => ({
      at: at + 1,
      layer: layerId(layer),
      size: layer.descriptor.size,
      ...(usage.layers[at] ?? { entries: 0, bytes: 0, wasted: 0 }),
      instruction: instructions[at] ?? '',
    }));
    const directories = [...below(usage.root, depth)].sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
    const wasted = usage.wasted.map(({ path, bytes, layer, by }) => ({
      path: printableName(path),
      bytes,
      layer: layer + 1,
      by: by + 1,
    }));
    const total = {
      size: layers.reduce((sum, { size }) => sum + size, 0),
      bytes: layers.reduce((sum, { bytes }) => sum + bytes, 0),
      wasted: layers.reduce((sum, { wasted: lost }) => sum + lost, 0),
      files: usage.root.files,
      visible: usage.root.bytes,
    };
    quiet();
    if (options.flag('json')) {
      await writeJson(context, { ...total, layers, directories, wastedFiles: wasted });
      return 0;
    }
    const share = total.bytes === 0 ? 0 : (100 * total.wasted) / total.bytes;
    await context.out(
      [
        `${formatBytes(total.visible)} in ${formatCount(total.files, 'file')}, ${formatBytes(total.size)} as layers, ${formatBytes(total.wasted)} wasted (${share.toFixed(1)} %)`,
        '',
        'LAYER                  SIZE     CONTENT      WASTED  INSTRUCTION',
        ...layers.map(
          (layer) =>
            `${String(layer.at).padStart(3)} ${layer.layer.slice(0, 12)} ${column(layer.size)} ${column(layer.bytes)} ${column(layer.wasted)}  ${safeText(layer.instruction)}`,
        ),
        '',
        '   CONTENT  DIRECTORY',
        ...directories.slice(0, top).map(({ path, bytes }) => `${column(bytes).slice(1)}  /${path}`),
        ...(wasted.length === 0
          ? []
          : [
              '',
              '    WASTED  IN LAYER, BY LAYER, FILE',
              ...wasted
                .slice(0, top)
                .map(({ path, bytes, layer, by }) => `${column(bytes).slice(1)}  ${layer}, ${by}, /${path}`),
            ]),
        '',
      ].join('\n'),
    );
    return 0;
  });

interface ListedDirectory {
  readonly path: string;
  readonly bytes: number;
  readonly files: number;
}

function* below(directory: DirectoryUsage, depth: number): Generator<ListedDirectory> {
  const { path, bytes, files, children } = directory;
  if (path !== '') yield { path: printableName(path), bytes, files };
  if (depth > 0) for (const child of children) yield* below(child, depth - 1);
}

function column(bytes: number): string {
  return formatBytes(bytes).padStart(11);
}
