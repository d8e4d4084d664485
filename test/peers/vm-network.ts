// A network of VMs as xcluster has it: a bridge with the addresses of the host, in a network namespace of its own (root only). The registry runs in it, too.
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { must, type Result, type RunOptions, run, start, stop } from './process.ts';
import type { VmCard } from './vm-command.ts';

export interface VmNetwork extends AsyncDisposable {
  /** A card for the VM of this number. */
  card(number: number): Promise<VmCard>;
  /** Runs a program on the host of this network. */
  run(command: readonly string[], options?: RunOptions): Promise<Result>;
  /** The same; throws if the status is not 0. */
  must(command: readonly string[], options?: RunOptions): Promise<string>;
}

/** The bridge of the host; VMs are 192.168.0.1 and fd00::c0a8:1 and so on. */
const HOST = `set -e
ip link set lo up
ip link add xcbr1 type bridge
ip link set xcbr1 up
ip addr add 192.168.0.250/24 dev xcbr1
ip -6 addr add fd00::c0a8:fa/120 dev xcbr1 nodad
echo ready
exec sleep infinity`;

export async function startVmNetwork(): Promise<VmNetwork> {
  const host = start('unshare', ['-n', 'sh', '-c', HOST]);
  const said: Buffer[] = [];
  host.stderr?.on('data', (chunk: Buffer) => said.push(chunk));
  const [first] = await Promise.race([once(host.stdout as Readable, 'data'), once(host, 'exit')]);
  if (!String(first).startsWith('ready')) throw new Error(`no network for VMs: ${Buffer.concat(said)}`);
  const inside = ['nsenter', `--target=${host.pid}`, '--net', '--'];
  const here = (command: readonly string[]): [string, readonly string[]] => [
    'nsenter',
    [...inside.slice(1), ...command],
  ];
  return {
    card: async (number) => {
      const tap = `vm${number}`;
      // It stays when a VM ends.
      const made = `ip link show ${tap} >/dev/null 2>&1 || { ip tuntap add ${tap} mode tap && ip link set ${tap} master xcbr1 && ip link set ${tap} up; }`;
      await must(...here(['sh', '-c', made]));
      return { tap, mac: `52:54:00:00:00:0${number}`, inside };
    },
    run: (command, options) => run(...here(command), options),
    must: (command, options) => must(...here(command), options),
    [Symbol.asyncDispose]: () => stop(host),
  };
}
