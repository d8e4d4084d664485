// `images docker_ls_layers`: the names in each layer, as its archive has them.

import { indexLayers } from '../../rootfs/layer-index.ts';
import { printableName } from '../../tar/names.ts';
import { layerId } from '../../tasks/select-layers.ts';
import { openImage } from '../../tasks/tree-source.ts';
import type { Run } from '../command.ts';
import { looking } from '../look.ts';
import { writeJson } from '../write-json.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'daemon', async ({ look, settings }, quiet) => {
    const { args, options, context } = invocation;
    await using image = await openImage(look(args[0] as string), settings);
    const indexes = await indexLayers(image.layers, { signal: context.signal });
    const listed = image.layers.map((layer, at) => ({
      id: layerId(layer),
      digest: layer.descriptor.digest,
      size: layer.descriptor.size,
      files: (indexes[at]?.entries ?? []).map(({ name }) => printableName(name)),
    }));
    quiet();
    if (options.flag('json')) await writeJson(context, listed);
    else
      for (const { id, files } of listed)
        await context.out(`=== Layer; ${id}\n${files.map((name) => `${name}\n`).join('')}`);
    return 0;
  });
