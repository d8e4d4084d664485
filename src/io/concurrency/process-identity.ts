// Tells one process from all others, also from a later one with the same pid: pid, start time and boot id (proc(5)). Relies on /proc; without it the pid alone decides.
import { readFileSync } from 'node:fs';

/** `PID.START.BOOT`: fit for a file name. START (clock ticks since boot) and BOOT are empty where there is no /proc. */
export type ProcessIdentity = string;

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  own ??= `${process.pid}.${statOf(process.pid)?.startTime ?? ''}.${bootId()}`;
  return own;
}

/** The identity of a running process of this machine; `undefined` where there is none with this pid. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const identity = `${pid}.${statOf(pid)?.startTime ?? ''}.${bootId()}`;
  return isAlive(identity) ? identity : undefined;
}

/**
 * Whether the process still runs. What is no identity is dead; a killed process that its parent has not reaped (a zombie) is dead too.
 * True only of this machine and pid namespace: a store is not to be shared over a network file system by two of them.
 */
export function isAlive(identity: ProcessIdentity): boolean {
  const match = /^(\d+)\.(\d*)\.([0-9a-f-]*)$/.exec(identity);
  const pid = Number(match?.[1]);
  if (!match || !Number.isSafeInteger(pid) || pid <= 0 || match[3] !== bootId()) return false;
  if (match[2] === '') return answersSignals(pid);
  const stat = statOf(pid);
  return stat !== undefined && stat.startTime === match[2] && stat.state !== 'Z' && stat.state !== 'X';
}

let own: ProcessIdentity | undefined;
let boot: string | undefined;

/** Another one after each start of the machine; empty where there is no /proc. */
export function bootId(): string {
  boot ??= read('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return boot;
}

/** Fields 3 and 22 of /proc/PID/stat. The second field, the command in parentheses, can hold spaces and parentheses itself. */
function statOf(pid: number): { readonly state: string; readonly startTime: string } | undefined {
  const text = read(`/proc/${pid}/stat`);
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields?.[0], fields?.[19]];
  return state && startTime ? { state, startTime } : undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

function answersSignals(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
