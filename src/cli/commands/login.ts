// `images login`: tries credentials, and keeps them where docker, podman and skopeo look for them.
import { ImagesError } from '../../oci/errors.ts';
import { logIn } from '../../tasks/transfer/login.ts';
import type { Invocation, Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { writeJson } from '../out/write-json.ts';
import { askForText, secretFromInput } from '../process/secrets.ts';

export const run: Run = async (invocation) => {
  const {
    args: [host = ''],
    options,
    context,
  } = invocation;
  const username = options.text('username') ?? (await askForText(context, 'User name: '));
  const password = await passwordOf(invocation);
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

/** Errors: USAGE. */
async function passwordOf({ options, context }: Invocation): Promise<string | undefined> {
  const given = options.text('password');
  const isPiped = options.flag('password-stdin');
  if (given !== undefined && isPiped) {
    throw new ImagesError('USAGE', 'the password is given twice', { hint: 'Either --password or --password-stdin.' });
  }
  if (isPiped) return await secretFromInput(context, 'images login --username=ME --password-stdin HOST');
  if (given === undefined) return await askForText(context, 'Password: ', { hidden: true });
  context.note('Others on this machine can see a password that is on the command line: --password-stdin reads it.');
  return given;
}
