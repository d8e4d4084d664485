// `images lreg_start`: says where the registry is, for this machine and for VMs.
import { formatListenAddress } from '../../server/address.ts';
import type { RegistryState } from '../../tasks/registry-record.ts';
import { startRegistry } from '../../tasks/start-registry.ts';
import { addressForVms } from '../../tasks/vm-address.ts';
import type { Run } from '../command.ts';
import type { Context } from '../context.ts';
import { SERVER_FLAGS } from '../much-data.ts';
import { taskSettings } from '../task-settings.ts';

export const run: Run = async ({ options, context }) => {
  const [interpreter, ...program] = context.program;
  const { state, already } = await startRegistry(
    {
      listen: options.texts('listen'),
      names: options.texts('name'),
      program: [interpreter, ...SERVER_FLAGS, ...program],
    },
    taskSettings(context, options),
  );
  if (already) context.note('The embedded registry runs already.');
  for (const address of state.addresses) await context.out(`http://${formatListenAddress(address)}\n`);
  await explain(state, context);
  return 0;
};

async function explain(state: RegistryState, context: Context): Promise<void> {
  context.note(`Data: ${state.data}`);
  const vms = await addressForVms(state.addresses, taskSettings(context));
  if (!vms) {
    context.note('VMs cannot reach a loopback address: for them, start it with --listen=0.0.0.0:80.');
    return;
  }
  context.note(`VMs reach it at ${formatListenAddress({ host: vms.ip, port: vms.port })}.`);
  if (vms.port !== 80)
    context.note('VMs that are told that it is docker.io ask port 80: add --listen=ADDR:80 for them.');
}
