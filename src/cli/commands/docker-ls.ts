// `images docker_ls`: lists the file system of an image.
import { printableName } from '../../tar/names.ts';
import { flatNames } from '../../tasks/look/list-files.ts';
import { openTree } from '../../tasks/transfer/tree-source.ts';
import type { Run } from '../grammar/command.ts';
import { looking } from '../out/look.ts';
import { outLines } from '../out/out-lines.ts';
import { writeJsonList } from '../out/write-json.ts';

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
