// A runtime starts the command in a mounted root file system. All runtimes provide the same: new namespaces for processes, IPC, host name and mounts, /proc,
// capabilities, the user, and the system call filter (except unshare). All mounts except /proc exist already.
import type { RunUser } from '../../contract.ts';
import type { RuntimeName } from '../contract.ts';
import type { Ids } from '../ids.ts';

export interface Launch {
  /** Absolute path of a mount. */
  readonly root: string;
  readonly args: readonly string[];
  /** Name and value of each variable. */
  readonly env: ReadonlyMap<string, string>;
  readonly directory: string;
  readonly user: RunUser;
  readonly loopbackOnly: boolean;
  /** The capabilities of root in the container, without `CAP_`. */
  readonly capabilities: readonly string[];
  readonly hostname: string;
  readonly ids: Ids;
  /** System calls that set owners do nothing and report success. */
  readonly ignoreChown: boolean;
}

export interface LaunchPlan {
  /** By name. The files are in the directory `t` of the directory in which the command is started. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  /** A shell command that ends with the status of the RUN's command. */
  readonly command: string;
  /** A file in `t` with the runtime's own messages if it fails. They are not output of the command. */
  readonly log?: string;
}

export interface Runtime {
  readonly name: RuntimeName;
  can(launch: Pick<Launch, 'user' | 'ignoreChown'>): boolean;
  plan(launch: Launch): LaunchPlan;
}

/** Capabilities of the command and its children: Docker's (moby, oci/caps/defaults.go). NET_RAW only with a network of its own, or if a user namespace confines it. */
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

/** Whether no process may gain privileges. Root already has all that it can have. Other users may become root of the container (sudo), as with BuildKit. */
export function gainsNothing({ user }: Pick<Launch, 'user'>): boolean {
  return user.uid === 0;
}

/**
 * The bounding set. A program file with a capability outside of this set cannot even be started (`ping -V`), so if privileges cannot be gained anyway, the
 * set is complete.
 */
export function boundingOf(launch: Launch): readonly string[] {
  return gainsNothing(launch) ? CAPABILITIES : launch.capabilities;
}

/** Paths in /proc and /sys that are hidden even from root in a container (runtime-spec, config-linux.md; the same list as Docker's). */
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
