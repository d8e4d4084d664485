// `images logout`: forgets credentials that docker, podman, skopeo or `images login` keep.
import { logOut } from '../../tasks/transfer/login.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { writeJson } from '../out/write-json.ts';

export const run: Run = async ({ args: [host = ''], options, context }) => {
  const named = options.text('authfile');
  const done = await logOut({ host, ...(named !== undefined && { file: named }) }, taskSettings(context));
  if (options.flag('json')) await writeJson(context, done);
  else
    context.note(done.files.length > 0 ? `Logged out of ${done.host}.` : `There are no credentials for ${done.host}.`);
  return 0;
};
