// `images lreg_stop`. Idempotent: it succeeds if nothing runs.
import { parseAge } from '../../io/text/age.ts';
import { stopRegistry } from '../../tasks/private-registry/stop-registry.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';

export const run: Run = async ({ options, context }) => {
  const age = options.text('drain');
  const drainMs =
    age === undefined ? (options.flag('drain') ? Number.MAX_SAFE_INTEGER : undefined) : parseAge(age, '--drain');
  const stopped = await stopRegistry(taskSettings(context, options), drainMs === undefined ? {} : { drainMs });
  if (!stopped) context.note('The embedded registry is not running.');
  return 0;
};
