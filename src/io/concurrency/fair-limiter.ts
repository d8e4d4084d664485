// A limiter for work of many parties at many keys: whoever asks for much waits behind himself, and what is slow at one key leaves room for the others.

import { ImagesError } from '../../oci/errors.ts';

export interface FairLimits {
  /** Calls at once, all together. */
  readonly all: number;
  /** For one key. */
  readonly each: number;
  /** For one key, of one party: fewer, so that another finds room there. */
  readonly eachParty: number;
  /** How much of one party may wait. */
  readonly waiting: number;
}

export interface FairTurn {
  readonly key: string;
  readonly party: string;
}

/**
 * Runs `work` when there is room; parties that wait take turns. Rejects with the signal's reason if it fires before; running work watches the signal itself.
 * Errors: TOOMANYREQUESTS (too much waits already).
 */
export type FairLimiter = <T>(turn: FairTurn, work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** Whole numbers from 1. Keys and parties that nobody uses cost nothing. */
export function createFairLimiter({ all, each, eachParty, waiting: mostWaiting }: FairLimits): FairLimiter {
  /** By party, in the order of their turns; below, by key, in the order in which they came. */
  const waiting = new Map<string, Map<string, Set<() => void>>>();
  const running = new Map<string, number>();
  let total = 0;

  const textOf = ({ key, party }: FairTurn) => JSON.stringify([key, party]);
  const count = (text: string, change: number) => {
    const next = (running.get(text) ?? 0) + change;
    if (next === 0) running.delete(text);
    else running.set(text, next);
  };
  const change = (turn: FairTurn, by: number) => {
    total += by;
    count(turn.key, by);
    count(textOf(turn), by);
  };
  const hasRoom = (turn: FairTurn) =>
    total < all && (running.get(turn.key) ?? 0) < each && (running.get(textOf(turn)) ?? 0) < eachParty;

  function requireRoomToWait(party: string): void {
    const waits = [...(waiting.get(party)?.values() ?? [])].reduce((sum, { size }) => sum + size, 0);
    if (waits >= mostWaiting) throw new ImagesError('TOOMANYREQUESTS', 'too much is asked for at once: try again');
  }

  function queueOf({ key, party }: FairTurn): Set<() => void> {
    const keys = waiting.get(party) ?? new Map<string, Set<() => void>>();
    const queue = keys.get(key) ?? new Set();
    keys.set(key, queue);
    waiting.set(party, keys);
    return queue;
  }

  function remove({ key, party }: FairTurn, admit: () => void): void {
    const keys = waiting.get(party);
    const queue = keys?.get(key);
    queue?.delete(admit);
    if (queue?.size === 0) keys?.delete(key);
    if (keys?.size === 0) waiting.delete(party);
  }

  /** The next one that may run; its party comes last from then on. */
  function admitNext(): void {
    if (total >= all) return;
    for (const [party, keys] of waiting) {
      for (const [key, queue] of keys) {
        const [admit] = queue;
        const turn = { key, party };
        if (!admit || !hasRoom(turn)) continue;
        remove(turn, admit);
        if (waiting.delete(party)) waiting.set(party, keys);
        change(turn, 1);
        admit();
        return;
      }
    }
  }

  async function entered(turn: FairTurn, signal: AbortSignal | undefined): Promise<void> {
    requireRoomToWait(turn.party);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const admit = () => {
      signal?.removeEventListener('abort', give);
      resolve();
    };
    const give = () => {
      remove(turn, admit);
      reject(signal?.reason);
    };
    queueOf(turn).add(admit);
    signal?.addEventListener('abort', give, { once: true });
    await promise;
  }

  return async (turn, work, signal) => {
    signal?.throwIfAborted();
    // Who waits is waiting because there is no room, so nobody is overtaken here.
    if (hasRoom(turn)) change(turn, 1);
    else await entered(turn, signal);
    try {
      return await work();
    } finally {
      change(turn, -1);
      admitNext();
    }
  };
}
