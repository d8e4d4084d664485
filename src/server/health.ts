// Whether the service can do its work: look at it now and then, however often it is asked for.
import { type Reply, textReply, troubleOf } from './reply.ts';

/** Each throws what is wrong. A signal ends what takes too long. */
export interface HealthChecks {
  /** What a pull needs. */
  canRead(signal: AbortSignal): Promise<void>;
  /** What a push needs beside that. */
  canWrite(signal: AbortSignal): Promise<void>;
}

export interface HealthOptions {
  /** Milliseconds for which an answer holds. */
  readonly maxAge?: number;
  /** Milliseconds after which a check that has not ended is one that failed. */
  readonly timeout?: number;
  /** Something is wrong that was not wrong the last time. */
  readonly onTrouble: (error: unknown) => void;
}

const WORDS = { canRead: 'pulls', canWrite: 'pushes' } as const;

/** 200 and `ok`; 503 and a line for each thing that cannot be done, in words for anybody. */
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
        // What cannot be read cannot be written either.
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

/** A disk that does not answer does not end its calls either: they are left alone. */
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
