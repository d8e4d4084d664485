// `images lreg_passwd`: sets or removes a user's password for the embedded registry.
import { ImagesError } from '../../oci/errors.ts';
import { setPassword } from '../../tasks/private-registry/set-password.ts';
import type { Run } from '../grammar/command.ts';
import { configSettings, taskSettings } from '../grammar/task-settings.ts';
import { askForText, secretFromInput } from '../process/secrets.ts';

export const run: Run = async ({ args: [user = ''], options, context }) => {
  const isDeleted = options.flag('delete');
  const typed = async () => {
    const first = await askForText(context, 'Password: ', { hidden: true });
    const again = first === undefined ? undefined : await askForText(context, 'The same again: ', { hidden: true });
    if (first !== again) throw new ImagesError('USAGE', 'the two passwords differ', { hint: 'Nothing was changed.' });
    return first;
  };
  const password = isDeleted
    ? undefined
    : options.flag('password-stdin')
      ? await secretFromInput(context, 'images lreg_passwd --password-stdin USER')
      : await typed();
  if (password === undefined && !isDeleted) {
    throw new ImagesError('USAGE', 'nobody is there to type a password', {
      hint: 'Give it on standard input, with --password-stdin.',
    });
  }
  const file = options.text('file');
  const done = await setPassword(
    { user, ...(password !== undefined && { password }), ...(file !== undefined && { file }) },
    { ...taskSettings(context, options), ...configSettings(options) },
  );
  context.note(`${isDeleted ? 'Removed' : 'Set the password of'} ${user} in ${done.file}.`);
  return 0;
};
