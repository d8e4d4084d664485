// How many files this process may have open at once. Relies on /proc.
import { readFileSync } from 'node:fs';

/** What POSIX systems allow where nothing says more. */
const USUAL = 1024;

/** Node has raised its own limit to the hard one by now. */
export function openFilesLimit(): number {
  try {
    const [, allowed] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return allowed === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(allowed) || USUAL;
  } catch {
    return USUAL;
  }
}
