// `images lreg_ip`: a bare IP address for /etc/hosts.
import { vmAddress } from '../../tasks/vm-address.ts';
import type { Run } from '../command.ts';
import { taskSettings } from '../task-settings.ts';
import { writeJson } from '../write-json.ts';

export const run: Run = async ({ options, context }) => {
  const address = await vmAddress(taskSettings(context, options));
  if (options.flag('json')) await writeJson(context, address);
  else await context.out(`${address.ip}\n`);
  return 0;
};
