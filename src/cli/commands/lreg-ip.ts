// `images lreg_ip`: a bare IP address for /etc/hosts.
import { vmAddress } from '../../tasks/private-registry/vm-address.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { writeJson } from '../out/write-json.ts';

export const run: Run = async ({ options, context }) => {
  const address = await vmAddress(taskSettings(context, options));
  if (options.flag('json')) await writeJson(context, address);
  else await context.out(`${address.ip}\n`);
  return 0;
};
