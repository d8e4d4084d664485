// Tells one process from all others, also from a later one with the same pid: pid, start time and boot id (proc(5)). Relies on /proc; without it the pid alone decides.
import { readFileSync } from 'node:fs';

/** `PID.START.BOOT`, usable in a file name. START (clock ticks since boot) and BOOT are empty if there is no /proc. */
export type ProcessIdentity = string;

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  own ??= `${process.pid}.${statOf(process.pid)?.startTime ?? ''}.${bootId()}`;
  return own;
}

/** The identity of a running process of this machine; `undefined` if no process has this pid. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const identity = `${pid}.${statOf(pid)?.startTime ?? ''}.${bootId()}`;
  return isAlive(identity) ? identity : undefined;
}

/**
 * Whether the process still runs. A malformed identity counts as dead, and so does a zombie (killed, but not yet reaped by its parent).
 * It can only tell for this machine and pid namespace, so two machines must not share a store over a network file system.
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

/** The boot id, which changes with every boot of the machine; empty if there is no /proc. */
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
