// `images login`: tries credentials, and keeps them where docker, podman and skopeo look for them.
import { ImagesError } from '../../oci/errors.ts';
import { logIn } from '../../tasks/transfer/login.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { writeJson } from '../out/write-json.ts';
import { askForText, secretFromInput } from '../process/secrets.ts';

export const run: Run = async ({ args: [host = ''], options, context }) => {
  const username = options.text('username') ?? (await askForText(context, 'User name: '));
  const password = options.flag('password-stdin')
    ? await secretFromInput(context, 'images login --username=ME --password-stdin HOST')
    : await askForText(context, 'Password: ', { hidden: true });
  if (username === undefined || password === undefined) {
    throw new ImagesError('USAGE', 'nobody is there to type a user name and a password', {
      hint: 'Give them with --username=NAME --password-stdin, the password on standard input.',
    });
  }
  const file = options.text('authfile');
  const done = await logIn({ host, username, password, ...(file !== undefined && { file }) }, taskSettings(context));
  if (options.flag('json')) await writeJson(context, done);
  else {
    const where = done.helper === undefined ? done.file : `docker-credential-${done.helper}, which ${done.file} names`;
    context.note(
      done.isTried
        ? `Logged in to ${done.host}; the credentials are in ${where}.`
        : `${done.host} lets everybody in: the password was not tried; it is in ${where}.`,
    );
  }
  return 0;
};
