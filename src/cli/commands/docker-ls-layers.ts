// `images docker_ls_layers`: lists each layer, in the order of its archive.
import { indexLayers } from '../../rootfs/layer-index.ts';
import { printableName } from '../../tar/names.ts';
import { layerId } from '../../tasks/look/select-layers.ts';
import { openImage } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { looking } from '../out/look.ts';
import { outLines } from '../out/out-lines.ts';
import { writeJson } from '../out/write-json.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'daemon', async ({ look, settings }, quiet) => {
    const { args, options, context } = invocation;
    await using image = await openImage(look(args[0] as string), settings);
    const indexes = await indexLayers(image.layers, { signal: context.signal });
    const filesOf = (at: number) => indexes[at]?.entries ?? [];
    quiet();
    if (options.flag('json')) {
      const listed = image.layers.map((layer, at) => ({
        id: layerId(layer),
        digest: layer.descriptor.digest,
        size: layer.descriptor.size,
        files: filesOf(at).map(({ name }) => printableName(name)),
      }));
      await writeJson(context, listed);
      return 0;
    }
    for (const [at, layer] of image.layers.entries()) {
      await context.out(`=== Layer; ${layerId(layer)}\n`);
      await outLines(context, filesOf(at), ({ name }) => printableName(name));
    }
    return 0;
  });
