// What starts the command in the root file system that is mounted for it. All runtimes do the same: namespaces of their own for processes, IPC, host name and
// mounts, /proc, Docker's capabilities, the user. All mounts but /proc are there already.
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

/** Docker's (moby, oci/caps/defaults.go), without `CAP_`. */
export const CAPABILITIES: readonly string[] = [
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

/** Of /proc: what even root in a container has no business with (runtime-spec, config-linux.md, as Docker sets them). */
export const MASKED: readonly string[] = [
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
];
export const READ_ONLY: readonly string[] = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
