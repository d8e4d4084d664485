// `images lreg_ca`: prints the own CA of the embedded registry, or changes who trusts it.
import { resolve } from 'node:path';
import { ImagesError } from '../../oci/errors.ts';
import { changeTrust, registryAuthority, TRUSTING_CLIENTS } from '../../tasks/private-registry/trust-registry.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';

export const run: Run = async ({ args, options, context }) => {
  const settings = taskSettings(context, options);
  const [isInstall, isRemove] = [options.flag('install'), options.flag('remove')];
  if (!isInstall && !isRemove) {
    await context.out(await registryAuthority(settings));
    return 0;
  }
  if (isInstall && isRemove) throw new ImagesError('USAGE', 'either --install or --remove');
  const clients = options
    .texts('client')
    .flatMap((text) => text.split(','))
    .map(clientOf);
  const isDryRun = options.flag('dry-run');
  const root = resolve(options.text('root') ?? '/');
  const { files, others, commands, isNobodyThere } = await changeTrust(
    {
      registries: args,
      clients,
      root,
      what: isInstall ? 'install' : 'remove',
      isDryRun,
    },
    settings,
  );
  const verb = `${isDryRun ? 'Would ' : ''}${isInstall ? 'write' : 'remove'}`;
  for (const { path, readers } of files)
    context.note(`${isDryRun ? verb : isInstall ? 'Written' : 'Removed'}: ${path} (${readers})`);
  for (const path of others) context.note(`Stays, because it is not this CA: ${path}`);
  if (isNobodyThere && isInstall) {
    context.note(`None of these clients is in ${root}. For those that will be: --client=${TRUSTING_CLIENTS.join(',')}`);
  } else if (files.length === 0) context.note('There is nothing to do.');
  for (const command of commands) context.note(`To be run there: ${command}`);
  return 0;
};

function clientOf(text: string): (typeof TRUSTING_CLIENTS)[number] {
  const found = TRUSTING_CLIENTS.find((known) => known === text);
  if (found) return found;
  throw new ImagesError('USAGE', `unknown client [--client=${text}]`, {
    hint: `Known: ${TRUSTING_CLIENTS.join(', ')}.`,
  });
}
