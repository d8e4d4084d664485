// `images lreg_start`: prints the registry's addresses, for this machine and for VMs.
import { formatListenAddress, listenUrl } from '../../server/address.ts';
import { type StartedRegistry, startRegistry } from '../../tasks/private-registry/start-registry.ts';
import type { Run } from '../grammar/command.ts';
import { givenServingOptions } from '../grammar/serving-options.ts';
import { configSettings, taskSettings } from '../grammar/task-settings.ts';
import { writeJson } from '../out/write-json.ts';
import type { Context } from '../process/context.ts';
import { SERVER_FLAGS } from '../process/much-data.ts';

export const run: Run = async ({ options, context }) => {
  const [interpreter, ...program] = context.program;
  const started = await startRegistry(
    {
      ...givenServingOptions(options),
      program: [interpreter, ...SERVER_FLAGS, ...program],
    },
    { ...taskSettings(context, options), ...configSettings(options) },
  );
  const { state, already, vms } = started;
  if (options.flag('json')) {
    const { pid, since, version, addresses, data } = state;
    await writeJson(context, { running: true, already, pid, since, version, addresses, ...(vms && { vms }), data });
    return 0;
  }
  if (already) context.note('The embedded registry runs already.');
  for (const address of state.addresses) await context.out(`${listenUrl(address)}\n`);
  explain(started, context);
  return 0;
};

function explain({ state, vms, open }: StartedRegistry, context: Context): void {
  context.note(`Data: ${state.data}`);
  if (open !== undefined) context.note(`Open: ${open}.`);
  if (!vms) {
    context.note('VMs cannot reach a loopback address: for them, start it with --listen=0.0.0.0:80.');
    return;
  }
  context.note(`VMs reach it at ${formatListenAddress({ host: vms.ip, port: vms.port })}.`);
  if (vms.port !== 80)
    context.note('VMs that are told that it is docker.io ask port 80: add --listen=ADDR:80 for them.');
}
