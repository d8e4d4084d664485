// `images lreg_missed`: a reference a line, for `lreg_preload -`.
import { clearMissed, listMissed } from '../../tasks/private-registry/list-missed.ts';
import { openPrivateRegistry } from '../../tasks/private-registry/private-registry.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { outLines } from '../out/out-lines.ts';
import { writeJson } from '../out/write-json.ts';

export const run: Run = async ({ options, context }) => {
  const registry = await openPrivateRegistry(taskSettings(context, options));
  if (options.flag('clear')) {
    await clearMissed(registry);
    return 0;
  }
  const missed = await listMissed(registry);
  if (options.flag('json')) await writeJson(context, missed);
  else await outLines(context, missed, ({ reference }) => reference);
  return 0;
};
