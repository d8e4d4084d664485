// Slows guessing: after three wrong attempts each further one has to wait longer than the one before. Keys are users or addresses.
import { isIPv6 } from 'node:net';

export interface DelayOptions {
  /** How long it is at most, in ms. */
  readonly longest: number;
  /** In ms. */
  readonly now: () => number;
  /** Of keys that are remembered; the longest untouched one is forgotten first. */
  readonly keys?: number;
}

export interface AttemptDelays {
  /** For how long no attempt may be made, in ms; 0 if one may. */
  wait(key: string): number;
  /** Wrong attempts that are not forgotten. */
  count(key: string): number;
  failed(key: string): void;
  forget(key: string): void;
}

/** Attempts that nobody has to wait after. */
export const FREE_ATTEMPTS = 3;
const FIRST_DELAY = 100;
const FORGOTTEN_AFTER = 15 * 60_000;
const MAX_KEYS = 10_000;

interface Failures {
  readonly count: number;
  readonly last: number;
}

export function attemptDelays({ longest, now, keys = MAX_KEYS }: DelayOptions): AttemptDelays {
  const failures = new Map<string, Failures>();
  const known = (key: string): Failures | undefined => {
    const found = failures.get(key);
    if (!found) return undefined;
    const age = now() - found.last;
    // A clock that was set back must not lock anybody out.
    if (age >= 0 && age < FORGOTTEN_AFTER) return found;
    failures.delete(key);
    return undefined;
  };
  return {
    wait: (key) => {
      const found = known(key);
      if (!found || found.count < FREE_ATTEMPTS) return 0;
      const delay = Math.min(longest, FIRST_DELAY * 2 ** (found.count - FREE_ATTEMPTS));
      return Math.max(0, found.last + delay - now());
    },
    count: (key) => known(key)?.count ?? 0,
    failed: (key) => {
      const count = (known(key)?.count ?? 0) + 1;
      // Behind all others: the one that failed last is forgotten last.
      failures.delete(key);
      failures.set(key, { count, last: now() });
      if (failures.size <= keys) return;
      for (const oldest of failures.keys()) {
        failures.delete(oldest);
        return;
      }
    },
    forget: (key) => {
      failures.delete(key);
    },
  };
}

/** Who has one IPv6 address has all of its network of 64 bits (RFC 4291, section 2.5.1). */
export function attemptKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - groups.length - after.length)).fill('0');
  return [...groups, ...zeros, ...after].slice(0, 4).join(':');
}
