// `images docker_export`: the flattened file system as a tar archive.
import { exportTree } from '../../rootfs/export-tree.ts';
import { openTree } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { archiveOut } from '../out/archive-out.ts';
import { looking } from '../out/look.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'daemon', async ({ look, settings }, quiet) => {
    const { args, options, context } = invocation;
    const output = options.text('output');
    const out = archiveOut(output, 'The tar archive');
    await using image = await openTree(look(args[0] as string), settings);
    quiet({ toFile: output !== undefined && output !== '-' });
    await out(exportTree(image.tree, image.layers, { signal: context.signal }));
    return 0;
  });
