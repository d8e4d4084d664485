// `images docker_save_layers`: the files of some layers in one tar archive.
import { exportLayers } from '../../tasks/look/export-layers.ts';
import { openImage } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { archiveOut } from '../out/archive-out.ts';
import { looking } from '../out/look.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'daemon', async ({ look, settings }, quiet) => {
    const { args, options } = invocation;
    const [name = '', ...names] = args;
    const output = options.text('output');
    const out = archiveOut(output, 'The tar archive');
    await using image = await openImage(look(name), settings);
    const archive = await exportLayers(image, names, settings);
    quiet({ toFile: output !== undefined && output !== '-' });
    await out(archive);
    return 0;
  });
