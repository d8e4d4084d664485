// A network of a RUN's own, with a way out (`--network=private`): a network namespace that slirp4netns(1) or pasta(1) connects, in user mode. The machine's
// loopback, what listens there and abstract sockets are out of its reach.
import type { TarHeader } from '../../tar/entry.ts';
import type { Lack } from './contract.ts';
import { emptyHeader } from './mount-points.ts';
import type { Programs } from './programs.ts';
import { command, quoted } from './shell.ts';
import { SHELL_FUNCTIONS } from './supervisor.ts';

export interface PrivateNetwork {
  /** Where names are asked for. */
  readonly nameserver: string;
  /** Shell commands, run before the command is: they end when the network is there, or fail and say why. */
  readonly lines: readonly string[];
  readonly headers: readonly TarHeader[];
  /** Shell commands, to be run in it; the file is in the directory `t`. */
  inside(commands: string): {
    readonly command: string;
    readonly file: { readonly name: string; readonly content: string };
  };
}

export const NO_PRIVATE_NETWORK: Lack = {
  what: 'nothing here connects a private network [slirp4netns, pasta]',
  mend: 'Install one: sudo apt install slirp4netns',
};

/** `undefined` where nothing is installed for it. */
export async function findPrivateNetwork(programs: Programs): Promise<PrivateNetwork | undefined> {
  const [unshare, nsenter, slirp4netns, pasta] = await Promise.all(
    ['unshare', 'nsenter', 'slirp4netns', 'pasta'].map((name) => programs.find(name)),
  );
  const connection = slirp4netns ? slirp(slirp4netns) : pasta ? viaPasta(pasta) : undefined;
  if (!connection || !unshare || !nsenter) return undefined;
  return {
    nameserver: connection.nameserver,
    // The namespace lives as long as it is mounted.
    lines: [`: >${NAMESPACE}; ${command(unshare, `--net=${NAMESPACE}`)} true`, ...connection.lines],
    headers: connection.headers,
    inside: (commands) => ({
      command: `${quoted(nsenter)} --net=${NAMESPACE} sh t/in-network`,
      file: { name: 'in-network', content: `set -e\n${SHELL_FUNCTIONS}\nrun=$PWD\n${commands}\n` },
    }),
  };
}

interface Connection {
  readonly nameserver: string;
  readonly lines: readonly string[];
  readonly headers: readonly TarHeader[];
}

const NAMESPACE = 't/network';

function slirp(program: string): Connection {
  const options = ['--configure', '--mtu=65520', '--disable-host-loopback', '--netns-type=path', '--ready-fd=5'];
  return {
    nameserver: '10.0.2.3',
    headers: [emptyHeader('connected', 'fifo', 0o600)],
    lines: [
      `${command(program, ...options)} ${NAMESPACE} tap0 </dev/null >t/network-log 2>&1 3<&- 4>&- 5>t/connected &`,
      // It closes this when it is ready, and when it cannot be; only then there is a character before.
      'read -r connected <t/connected || :',
      `[ "$connected" = 1 ] || { ${SAY_WHY}; }`,
    ],
  };
}

/** Of the addresses that mean nothing outside of a link. */
const FORWARDED = '169.254.1.1';

function viaPasta(program: string): Connection {
  const closed = ['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none', '--no-map-gw'];
  const options = ['--config-net', '--quiet', '--dns-forward', FORWARDED, ...closed, '--netns-only', '--runas', '0'];
  return {
    nameserver: FORWARDED,
    headers: [],
    // It goes into the background when it is ready.
    lines: [
      `${command(program, ...options)} --netns ${NAMESPACE} </dev/null >t/network-log 2>&1 3<&- 4>&- || { ${SAY_WHY}; }`,
    ],
  };
}

/** What it says first is the reason; what follows, that it ends. */
const SAY_WHY = 'sed "s/^/no private network: /;q" t/network-log >&2; exit 1';
