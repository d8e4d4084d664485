// `images usage`: how an image's bytes are distributed, and how many of them later layers waste.
import { printableName } from '../../tar/names.ts';
import { imageUsage } from '../../tasks/look/image-usage.ts';
import { openImage } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { positiveNumber } from '../grammar/options.ts';
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
    const { visible, layers, ...usage } = await imageUsage(image, { depth }, settings);
    const directories = usage.directories.map(printable);
    const wasted = usage.wastedFiles.map(printable);
    quiet();
    if (options.flag('json')) {
      const total = { size: usage.size, bytes: usage.bytes, wasted: usage.wasted };
      const { files, bytes } = visible;
      await writeJson(context, { ...total, files, visible: bytes, layers, directories, wastedFiles: wasted });
      return 0;
    }
    const share = usage.bytes === 0 ? 0 : (100 * usage.wasted) / usage.bytes;
    await context.out(
      [
        `${formatBytes(visible.bytes)} in ${formatCount(visible.files, 'file')}, ${formatBytes(usage.size)} as layers, ${formatBytes(usage.wasted)} wasted (${share.toFixed(1)} %)`,
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

function printable<T extends { readonly path: string }>(file: T): T {
  return { ...file, path: printableName(file.path) };
}

function column(bytes: number): string {
  return formatBytes(bytes).padStart(11);
}
