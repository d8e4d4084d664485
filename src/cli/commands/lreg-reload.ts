// `images lreg_reload`: a row for each key that has changed, or waits for a restart.
import { reloadRegistry } from '../../tasks/private-registry/reload-registry.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { changeLine } from '../out/setting-lines.ts';
import { writeJson } from '../out/write-json.ts';

export const run: Run = async ({ options, context }) => {
  const reloaded = await reloadRegistry(taskSettings(context, options));
  const { file, changed, waiting } = reloaded;
  if (options.flag('json')) {
    await writeJson(context, reloaded);
    return 0;
  }
  for (const change of changed) await context.out(`changed  ${changeLine(change)}\n`);
  for (const change of waiting) await context.out(`waits    ${changeLine(change)}\n`);
  context.note(changed.length === 0 ? `Read again, and nothing has changed: ${file}` : `Read again: ${file}`);
  if (waiting.length > 0) context.note('What waits holds when the registry is started again.');
  return 0;
};
