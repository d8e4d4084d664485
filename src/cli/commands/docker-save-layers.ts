// `images docker_save_layers`: the files of some layers as one tar archive.
import type { Layer } from '../../rootfs/contract.ts';
import { joinLayers } from '../../rootfs/layer-archive.ts';
import { indexLayer } from '../../rootfs/layer-index.ts';
import { selectLayer } from '../../tasks/look/select-layers.ts';
import { openImage } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { archiveOut } from '../out/archive-out.ts';
import { looking } from '../out/look.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'daemon', async ({ look, settings }, quiet) => {
    const { args, options, context } = invocation;
    const [name = '', ...names] = args;
    const output = options.text('output');
    const out = archiveOut(output, 'The tar archive');
    await using image = await openImage(look(name), settings);
    const wanted = new Set(names.map((each) => image.layers[selectLayer(image.layers, each)] as Layer));
    const { signal } = context;
    const indexed = await Promise.all(
      [...wanted].map(async (layer) => ({ layer, index: await indexLayer(layer, { signal }) })),
    );
    quiet({ toFile: output !== undefined && output !== '-' });
    await out(joinLayers(indexed, { signal }));
    return 0;
  });
