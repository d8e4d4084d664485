// `images lreg_service`: writes and enables the units by which systemd runs the embedded registry.
import { resolve } from 'node:path';
import { ImagesError } from '../../oci/errors.ts';
import { registryService } from '../../tasks/private-registry/registry-service.ts';
import type { Run } from '../grammar/command.ts';
import { givenServingOptions } from '../grammar/serving-options.ts';
import { configSettings, taskSettings } from '../grammar/task-settings.ts';
import { SERVER_FLAGS } from '../process/much-data.ts';

export const run: Run = async ({ options, context }) => {
  const [isPrint, isRemove, isSystem] = [options.flag('print'), options.flag('remove'), options.flag('system')];
  if (isPrint && isRemove) throw new ImagesError('USAGE', 'either --print or --remove');
  const [interpreter, ...script] = context.program;
  const { files, done, toDo } = await registryService(
    {
      ...givenServingOptions(options),
      isSystem,
      program: [interpreter, ...SERVER_FLAGS, ...script],
      root: resolve(options.text('root') ?? '/'),
      what: isPrint ? 'print' : isRemove ? 'remove' : 'install',
    },
    { ...taskSettings(context, options), ...configSettings(options) },
  );
  if (isPrint) {
    await context.out(files.map(({ path, text }) => `# ${path}\n${text}`).join('\n'));
    return 0;
  }
  for (const { path } of files) context.note(`${isRemove ? 'Removed' : 'Written'}: ${path}`);
  for (const command of done) context.note(`Run: ${command}`);
  for (const command of toDo) context.note(`To be run: ${command}`);
  if (files.length === 0) context.note('There is no such service.');
  else if (!isRemove && !isSystem) context.note('It runs while you are logged in; always with: loginctl enable-linger');
  return toDo.length > 0 ? 1 : 0;
};
