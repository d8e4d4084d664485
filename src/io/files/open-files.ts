// How many files this process may have open at once. Relies on /proc.
import { readFileSync } from 'node:fs';

/** The POSIX default, used if /proc does not tell. */
const USUAL = 1024;

/** The hard limit: Node raises its soft limit to it at its start. */
export function openFilesLimit(): number {
  try {
    const [, allowed] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return allowed === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(allowed) || USUAL;
  } catch {
    return USUAL;
  }
}
