// Who had the right password or a valid token lately, by what they sent: a client sends the same header with each request, and to take it apart and verify it costs
// more than all else.
import { hash, randomBytes } from 'node:crypto';
import type { Asker } from './contract.ts';

export interface RecentAskers {
  /** `undefined` if it is not known, or not right any more. */
  find(address: string, authorization: string): Asker | undefined;
  /** `isStillRight` is asked each time. */
  add(asker: Asker, authorization: string, isStillRight: () => boolean): void;
}

interface RecentAsker {
  readonly asker: Asker;
  readonly isStillRight: () => boolean;
}

/** Bounded: the one that was added first is forgotten first. */
export function recentAskers(most: number): RecentAskers {
  // Nobody else can make keys, and no password stays in memory.
  const secret = randomBytes(32).toString('hex');
  const known = new Map<string, RecentAsker>();
  // No address has a space.
  const keyOf = (address: string, authorization: string) =>
    hash('sha256', `${secret}${address} ${authorization}`, 'base64url');
  return {
    find: (address, authorization) => {
      const key = keyOf(address, authorization);
      const found = known.get(key);
      if (!found || found.isStillRight()) return found?.asker;
      known.delete(key);
      return undefined;
    },
    add: (asker, authorization, isStillRight) => {
      known.set(keyOf(asker.address, authorization), { asker, isStillRight });
      for (const oldest of known.keys()) {
        if (known.size <= most) return;
        known.delete(oldest);
      }
    },
  };
}
