// `images ls`: files of an image as `ls -l` shows them.
import { indexLayer } from '../../rootfs/layer-index.ts';
import type { RootTree } from '../../rootfs/tree.ts';
import type { TarHeader } from '../../tar/entry.ts';
import { type ListedFile, layerTree, listPath } from '../../tasks/look/list-files.ts';
import { layerId, selectLayer } from '../../tasks/look/select-layers.ts';
import { type ImageTree, openImage, openTree } from '../../tasks/transfer/tree-source.ts';
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
    await using image = await (layer === undefined ? openTree : openImage)(look(name), settings);
    let at: number | undefined;
    let tree: RootTree;
    if (layer === undefined) tree = (image as ImageTree).tree;
    else {
      at = selectLayer(image.layers, layer);
      const chosen = image.layers[at];
      if (!chosen) throw new Error('a layer was selected that is none');
      tree = layerTree(await indexLayer(chosen, { signal: context.signal }));
    }
    const files = listPath(tree, path, { recursive: options.flag('recursive') });
    quiet();
    const layerOf = (file: ListedFile) => {
      const of = image.layers[at ?? file.layer];
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
