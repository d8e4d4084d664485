// Work that can wait, such as bringing to the disk what has come, is done when work for which somebody waits rests; one at a time.

export interface QuietTurns {
  /** Tells of work for which somebody waits, until it is disposed. */
  busy(): Disposable;
  /** Resolves when nothing has been busy for a moment, or after a while anyway; nobody else has a turn until it is disposed. If the signal fires, nothing more is waited for. */
  enter(signal?: AbortSignal): Promise<Disposable>;
  /** How many wait for their turn, or have it. */
  readonly size: number;
}

export interface QuietOptions {
  /** Milliseconds for which nothing was busy. */
  readonly rest?: number;
  /** Milliseconds after which nobody waits any longer. */
  readonly longest?: number;
}

/** Between the layers of one image are shorter pauses than this. */
const REST = 100;
const LONGEST = 5000;

export function quietTurns({ rest = REST, longest = LONGEST }: QuietOptions = {}): QuietTurns {
  let busy = 0;
  let quietSince = Number.NEGATIVE_INFINITY;
  let size = 0;
  let last: Promise<void> = Promise.resolve();
  let wake: (() => void) | undefined;

  /** How long nothing must be busy from now on. */
  const lacking = () => (busy > 0 ? Number.POSITIVE_INFINITY : rest - (performance.now() - quietSince));

  /** Of the one whose turn is next. */
  async function quiet(until: number, signal: AbortSignal | undefined): Promise<void> {
    while (!signal?.aborted) {
      const left = Math.min(until - performance.now(), lacking());
      if (left <= 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const wakeUp = () => resolve();
      wake = wakeUp;
      const timer = setTimeout(wakeUp, left);
      signal?.addEventListener('abort', wakeUp);
      await promise;
      clearTimeout(timer);
      signal?.removeEventListener('abort', wakeUp);
    }
  }

  return {
    get size() {
      return size;
    },
    busy: () => {
      busy += 1;
      return {
        [Symbol.dispose]: () => {
          busy -= 1;
          if (busy > 0) return;
          quietSince = performance.now();
          wake?.();
        },
      };
    },
    enter: async (signal) => {
      const until = performance.now() + longest;
      const before = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      last = promise;
      size += 1;
      await before;
      await quiet(until, signal);
      return {
        [Symbol.dispose]: () => {
          size -= 1;
          resolve();
        },
      };
    },
  };
}
