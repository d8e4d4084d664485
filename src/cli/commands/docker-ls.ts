// `images docker_ls`: the names in an image's file system.
import { printableName } from '../../tar/names.ts';
import { flatNames } from '../../tasks/list-files.ts';
import { openTree } from '../../tasks/tree-source.ts';
import type { Run } from '../command.ts';
import { looking } from '../look.ts';
import { writeJson } from '../write-json.ts';

export const run: Run = (invocation) =>
  looking(invocation, 'daemon', async ({ look, settings }, quiet) => {
    const { args, options, context } = invocation;
    await using image = await openTree(look(args[0] as string), settings);
    const names = flatNames(image.tree).map(printableName);
    quiet();
    if (options.flag('json')) await writeJson(context, names);
    else await context.out(names.map((name) => `${name}\n`).join(''));
    return 0;
  });
