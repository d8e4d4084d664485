// `images docker_export`: the file system of an image as a tar archive.
import { exportImage } from '../../tasks/look/export-image.ts';
import { openTree } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { archiveOut } from '../out/archive-out.ts';
import { looking } from '../out/look.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'daemon', async ({ look, settings }, quiet) => {
    const { args, options } = invocation;
    const output = options.text('output');
    const out = archiveOut(output, 'The tar archive');
    await using image = await openTree(look(args[0] as string), settings);
    quiet({ toFile: output !== undefined && output !== '-' });
    await out(exportImage(image, settings));
    return 0;
  });
