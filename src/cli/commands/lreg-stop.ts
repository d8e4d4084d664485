// `images lreg_stop`. Idempotent: it succeeds if nothing runs.
import { stopRegistry } from '../../tasks/private-registry/stop-registry.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';

export const run: Run = async ({ options, context }) => {
  const stopped = await stopRegistry(taskSettings(context, options));
  if (!stopped) context.note('The embedded registry is not running.');
  return 0;
};
