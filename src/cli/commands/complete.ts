// `images __complete WORD…`: asked by the completion scripts; one candidate a line, and `:files` or `:directories` for the shell's own.
import { readdir } from 'node:fs/promises';
import { listRegistry } from '../../tasks/list-registry.ts';
import { openPrivateRegistry } from '../../tasks/private-registry.ts';
import type { Run } from '../command.ts';
import { complete, type LookUp } from '../complete.ts';
import type { Context } from '../context.ts';
import type { Completion } from '../options.ts';
import { taskSettings } from '../task-settings.ts';

export const run: Run = async ({ args, commands, context }) => {
  const { words, paths } = await complete(args, commands, lookUpIn(context));
  const lines = [...words, ...(paths ? [`:${paths}`] : [])];
  if (lines.length > 0) await context.out(`${lines.join('\n')}\n`);
  return 0;
};

/** What cannot be looked up is not offered: a shell is no place for errors. */
function lookUpIn(context: Context): LookUp {
  const find = async (what: Completion): Promise<readonly string[]> => {
    if (what === 'overlays') return await overlays(context);
    if (what !== 'images') return [];
    const settings = taskSettings(context);
    const repositories = await listRegistry(await openPrivateRegistry(settings), settings);
    return repositories.flatMap(({ name, tags }) => tags.map((tag) => `${name}:${tag}`));
  };
  return (what) => find(what).catch(() => []);
}

async function overlays({ env }: Context): Promise<readonly string[]> {
  const directories = (env.XCLUSTER_OVLPATH ?? '').split(':').filter(Boolean);
  const listed = await Promise.all(
    directories.map((directory) => readdir(directory, { withFileTypes: true }).catch(() => [])),
  );
  const names = listed.flat().filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  return [...new Set(names.map((entry) => entry.name))].sort();
}
