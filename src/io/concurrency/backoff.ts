// How long to wait before the next attempt: exponential with jitter, or what Retry-After asks for (RFC 9110, section 10.2.3).
import { setTimeout as sleepFor } from 'node:timers/promises';

export interface Backoff {
  /** Attempts in all, the first one counted. */
  readonly attempts: number;
  /** Milliseconds before the second attempt; each later one waits three times longer. */
  readonly base: number;
  /** The longest wait, in milliseconds, whatever Retry-After says. */
  readonly longest: number;
  /** Waits between attempts, so that tests need not. Default: `sleep`. */
  readonly sleep?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export const DEFAULT_BACKOFF: Backoff = { attempts: 4, base: 300, longest: 60_000 };

/** Milliseconds before attempt `done` + 1: half of the full delay and a random part of the other half, so that clients spread. */
export function backoffDelay(backoff: Backoff, done: number, random: () => number = Math.random): number {
  const full = Math.min(backoff.longest, backoff.base * 3 ** (done - 1));
  return Math.round(full / 2 + random() * (full / 2));
}

/** Milliseconds that a Retry-After header (seconds, or a date) asks for; `undefined` where it says nothing usable. */
export function parseRetryAfter(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d+(?:\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const date = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Waits between two attempts; throws the signal's reason when it is aborted. */
export async function pause(backoff: Backoff, milliseconds: number, signal?: AbortSignal): Promise<void> {
  await (backoff.sleep ?? sleep)(milliseconds, signal);
}

/** Waits; throws the signal's reason when it is aborted. */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  try {
    await sleepFor(milliseconds, undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
