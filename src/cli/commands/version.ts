// `images version`, `images --version`.
import type { Run } from '../grammar/command.ts';
import { writeJson } from '../out/write-json.ts';

export const run: Run = async ({ options, context }) => {
  const { version } = context;
  if (options.flag('json')) await writeJson(context, { version, node: process.versions.node });
  else await context.out(`${version}\n`);
  return 0;
};
