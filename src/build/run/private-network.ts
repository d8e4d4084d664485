// `--network=private`: a network namespace for one RUN, connected to the outside in user mode by slirp4netns(1) or pasta(1). The machine's loopback,
// servers that listen there, and abstract sockets are out of reach.
import type { TarHeader } from '../../tar/entry.ts';
import type { Lack } from './contract.ts';
import { emptyHeader } from './mount-points.ts';
import type { Programs } from './programs.ts';
import { command, quoted } from './shell.ts';
import { SHELL_FUNCTIONS } from './supervisor.ts';

export interface PrivateNetwork {
  /** Address of the name server. */
  readonly nameserver: string;
  /** Shell commands to run before the command. They end when the network is ready, or fail and tell why. */
  readonly lines: readonly string[];
  readonly headers: readonly TarHeader[];
  /** Wraps shell commands so that they run in the namespace. The file goes into the directory `t`. */
  inside(commands: string): {
    readonly command: string;
    readonly file: { readonly name: string; readonly content: string };
  };
}

export const NO_PRIVATE_NETWORK: Lack = {
  what: 'nothing here connects a private network [slirp4netns, pasta]',
  mend: 'Install one: sudo apt install slirp4netns',
};

/** Returns `undefined` if the programs for it are not installed. */
export async function findPrivateNetwork(programs: Programs): Promise<PrivateNetwork | undefined> {
  const [unshare, nsenter, slirp4netns, pasta] = await Promise.all(
    ['unshare', 'nsenter', 'slirp4netns', 'pasta'].map((name) => programs.find(name)),
  );
  const connection = slirp4netns ? slirp(slirp4netns) : pasta ? viaPasta(pasta) : undefined;
  if (!connection || !unshare || !nsenter) return undefined;
  return {
    nameserver: connection.nameserver,
    // The namespace exists as long as this mount of it.
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
      // slirp4netns closes the pipe when it is ready or has failed; only if it is ready does it write a character before.
      'read -r connected <t/connected || :',
      `[ "$connected" = 1 ] || { ${SAY_WHY}; }`,
    ],
  };
}

/** A link-local address: no host outside has it. pasta forwards DNS queries that are sent to it. */
const FORWARDED = '169.254.1.1';

function viaPasta(program: string): Connection {
  const closed = ['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none', '--no-map-gw'];
  const options = ['--config-net', '--quiet', '--dns-forward', FORWARDED, ...closed, '--netns-only', '--runas', '0'];
  return {
    nameserver: FORWARDED,
    headers: [],
    // pasta goes into the background when the network is ready.
    lines: [
      `${command(program, ...options)} --netns ${NAMESPACE} </dev/null >t/network-log 2>&1 3<&- 4>&- || { ${SAY_WHY}; }`,
    ],
  };
}

/** Prints the first line of the log, which is the reason. The next one only tells that the program ends. */
const SAY_WHY = 'sed "s/^/no private network: /;q" t/network-log >&2; exit 1';
