// What starts the command in the root file system that is mounted for it. All runtimes do the same: namespaces of their own for processes, IPC, host name and
// mounts, /proc, capabilities, the list of system calls (but for unshare), the user. All mounts but /proc are there already.
import type { RunUser } from '../../contract.ts';
import type { RuntimeName } from '../contract.ts';
import type { Ids } from '../ids.ts';

export interface Launch {
  /** Absolute, a mount. */
  readonly root: string;
  readonly args: readonly string[];
  /** NAME and value. */
  readonly env: ReadonlyMap<string, string>;
  readonly directory: string;
  readonly user: RunUser;
  readonly loopbackOnly: boolean;
  /** Without `CAP_`: what root has in it. */
  readonly capabilities: readonly string[];
  readonly hostname: string;
  readonly ids: Ids;
  /** System calls that set owners do nothing, and say that they did it. */
  readonly ignoreChown: boolean;
}

export interface LaunchPlan {
  /** By name: they are in the directory `t` of where the command is started. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  /** A shell command; its status is the command's. */
  readonly command: string;
  /** In `t`: what the runtime itself has to say when it fails; it is no output of the command. */
  readonly log?: string;
}

export interface Runtime {
  readonly name: RuntimeName;
  can(launch: Pick<Launch, 'user' | 'ignoreChown'>): boolean;
  plan(launch: Launch): LaunchPlan;
}

/** What the command, or what it starts, can have: Docker's (moby, oci/caps/defaults.go). Raw packets only where the network is its own, or a user namespace has none but its own. */
export function capabilitiesOn({
  ids,
  ownNetwork,
}: {
  readonly ids: Ids;
  readonly ownNetwork: boolean;
}): readonly string[] {
  return ownNetwork || ids.inUserNamespace
    ? CAPABILITIES
    : CAPABILITIES.filter((capability) => capability !== 'NET_RAW');
}

const CAPABILITIES: readonly string[] = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FSETID',
  'FOWNER',
  'MKNOD',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SETFCAP',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
  'KILL',
  'AUDIT_WRITE',
];

/** Root has all that it can have: what it starts can gain nothing. Others may become root of the container (sudo), as with BuildKit. */
export function gainsNothing({ user }: Pick<Launch, 'user'>): boolean {
  return user.uid === 0;
}

/**
 * What a process could gain. A program with a capability of its own that is not among these cannot even be started (`ping -V`): who gains nothing anyway
 * may have all.
 */
export function boundingOf(launch: Launch): readonly string[] {
  return gainsNothing(launch) ? CAPABILITIES : launch.capabilities;
}

/** Of /proc and /sys: what even root in a container has no business with (runtime-spec, config-linux.md, as Docker sets them). */
export const MASKED: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
export const READ_ONLY: readonly string[] = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
