// `images docker_ls_layers`: lists each layer, in the order of its archive.
import { printableName } from '../../tar/names.ts';
import { listLayers } from '../../tasks/look/list-layers.ts';
import { openImage } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { looking } from '../out/look.ts';
import { outLines } from '../out/out-lines.ts';
import { writeJson } from '../out/write-json.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'daemon', async ({ look, settings }, quiet) => {
    const { args, options, context } = invocation;
    await using image = await openImage(look(args[0] as string), settings);
    const layers = await listLayers(image, settings);
    quiet();
    if (options.flag('json')) {
      const listed = layers.map(({ names, ...layer }) => ({ ...layer, files: names.map(printableName) }));
      await writeJson(context, listed);
      return 0;
    }
    for (const { id, names } of layers) {
      await context.out(`=== Layer; ${id}\n`);
      await outLines(context, names, printableName);
    }
    return 0;
  });
