// The lines of an audit in a log that nobody can fill: each write has one; of refusals, which anybody can cause, so many have one, and the others are counted.

import { formatCount } from '../io/text/amounts.ts';
import type { RequestEvent } from '../server/events.ts';
import { type AuditLine, auditLine } from './audit-line.ts';

export interface AuditLog {
  /** The lines for a request. */
  linesFor(event: RequestEvent): readonly string[];
}

/** Refusals at once, and seconds until there may be one more: for one address, and for all. */
const ONE = { most: 100, seconds: 1 };
const ALL = { most: 1000, seconds: 0.5 };
const MAX_ADDRESSES = 1000;

/** `now` in milliseconds. */
export function createAuditLog(now: () => number = () => performance.now()): AuditLog {
  const all = createAllowance(ALL, now);
  const addresses = new Map<string, Allowance>();
  let omitted = 0;

  const mayLog = (address: string): boolean => {
    const own = addresses.get(address) ?? createAllowance(ONE, now);
    // The address that was refused last is forgotten last.
    addresses.delete(address);
    addresses.set(address, own);
    for (const oldest of addresses.keys()) {
      if (addresses.size <= MAX_ADDRESSES) break;
      addresses.delete(oldest);
    }
    return own.take() && all.take();
  };

  return {
    linesFor: (event) => {
      const line = auditLine(event);
      if (!line) return [];
      if (line.kind === 'refusal' && !mayLog(event.remote)) {
        omitted++;
        return [];
      }
      const before = omitted === 0 ? [] : [`audit: ${formatCount(omitted, 'more refusal')} came before this, too fast`];
      omitted = 0;
      return [...before, line.text];
    },
  };
}

/** `undefined` for a request that is worth no line. */
export function auditKind(event: RequestEvent): AuditLine['kind'] | undefined {
  return auditLine(event)?.kind;
}

interface Allowance {
  take(): boolean;
}

function createAllowance({ most, seconds }: typeof ALL, now: () => number): Allowance {
  let left = most;
  let before = now();
  return {
    take: () => {
      const time = now();
      left = Math.min(most, left + Math.max(0, time - before) / (1000 * seconds));
      before = time;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
