// Health checks of the service, cached so that their cost does not depend on how often they are requested.
import { type Reply, textReply, troubleOf } from './reply.ts';

/** A check throws what is wrong. The signal ends a check that takes too long. */
export interface HealthChecks {
  /** Checks what a pull needs. */
  canRead(signal: AbortSignal): Promise<void>;
  /** Checks what a push needs in addition. */
  canWrite(signal: AbortSignal): Promise<void>;
}

export interface HealthOptions {
  /** Milliseconds for which an answer is reused. */
  readonly maxAge?: number;
  /** Milliseconds after which a check counts as failed. */
  readonly timeout?: number;
  /** Called for a problem that the previous check did not have. */
  readonly onTrouble: (error: unknown) => void;
}

const WORDS = { canRead: 'pulls', canWrite: 'pushes' } as const;

/** 200 and `ok`; or 503 and a line for each thing that does not work, without internal details. */
export function healthReply(checks: HealthChecks | undefined, options: HealthOptions): () => Promise<Reply> {
  const { maxAge = 3000, timeout = 5000, onTrouble } = options;
  let known: Promise<Reply> | undefined;
  let before = '';

  async function look(): Promise<Reply> {
    const lines: string[] = [];
    for (const what of checks ? (['canRead', 'canWrite'] as const) : []) {
      try {
        await withinTime((signal) => checks?.[what](signal) ?? Promise.resolve(), timeout);
      } catch (error) {
        lines.push(`${WORDS[what]}: ${troubleOf(error).message}\n`);
        if (!before.includes(lines.at(-1) ?? '')) onTrouble(error);
        // If it cannot be read it cannot be written either.
        break;
      }
    }
    before = lines.join('');
    return before === '' ? textReply(200, 'ok\n') : textReply(503, before);
  }

  return () => {
    known ??= look().finally(() => setTimeout(() => (known = undefined), maxAge).unref());
    return known;
  };
}

/** Limits the time of a check. Its system calls may never return if the disk hangs, so they are abandoned. */
async function withinTime(work: (signal: AbortSignal) => Promise<void>, timeout: number): Promise<void> {
  const signal = AbortSignal.timeout(timeout);
  const late = Promise.withResolvers<never>();
  const giveUp = () => late.reject(new Error(`no answer within ${timeout} ms`));
  signal.addEventListener('abort', giveUp);
  try {
    await Promise.race([work(signal), late.promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
