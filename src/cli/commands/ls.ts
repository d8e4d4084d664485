// `images ls`: files of an image as `ls -l` shows them.
import type { TarHeader } from '../../tar/entry.ts';
import { type ListedFile, listImageFiles } from '../../tasks/look/list-files.ts';
import { layerId } from '../../tasks/look/select-layers.ts';
import { openImage } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { looking } from '../out/look.ts';
import { jsonOfFile, longLines } from '../out/ls-format.ts';
import { outLines } from '../out/out-lines.ts';
import { writeJsonList } from '../out/write-json.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'store', async ({ look, settings }, quiet) => {
    const { args, options, context } = invocation;
    const [name = '', path = ''] = args;
    const layer = options.text('layer');
    await using image = await openImage(look(name), settings);
    const listing = { recursive: options.flag('recursive'), ...(layer !== undefined && { layer }) };
    const files = await listImageFiles(image, path, { ...listing, call: settings });
    quiet();
    const layerOf = (file: ListedFile) => {
      const of = image.layers[file.layer];
      return of ? layerId(of) : undefined;
    };
    if (options.flag('json')) {
      await writeJsonList(context, files, (file) => ({
        ...jsonOfFile({ name: file.path, header: file.header }),
        layer: layerOf(file),
      }));
    } else {
      const lineOf = longLines(headersOf(files));
      await outLines(context, files, (file) => lineOf({ name: file.path, header: file.header }));
    }
    return 0;
  });

function* headersOf(files: readonly ListedFile[]): Generator<TarHeader> {
  for (const { header } of files) yield header;
}
