// `images docker_ls`: the names in an image's file system.
import { printableName } from '../../tar/names.ts';
import { flatNames } from '../../tasks/list-files.ts';
import { openTree } from '../../tasks/tree-source.ts';
import type { Run } from '../command.ts';
import { looking } from '../look.ts';
import { outLines } from '../out-lines.ts';
import { writeJsonList } from '../write-json.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'daemon', async ({ look, settings }, quiet) => {
    const { args, options, context } = invocation;
    await using image = await openTree(look(args[0] as string), settings);
    const names = flatNames(image.tree);
    quiet();
    if (options.flag('json')) await writeJsonList(context, names, printableName);
    else await outLines(context, names, printableName);
    return 0;
  });
