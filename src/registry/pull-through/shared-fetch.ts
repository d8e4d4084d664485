// The state of one fetch, as those who follow it see it, and as the one who fetches tells it.
import type { Descriptor } from '../../oci/descriptor.ts';
import type { GrowingBlob } from '../contract.ts';
import type { Followed } from './followed-blob.ts';

/** A blob on its way. Whoever waits for it enters first, and leaves afterwards. */
export interface SharedFetch extends Followed {
  /** For which repositories it is fetched (`upstreamText`). */
  readonly names: Set<string>;
  /** The other registry sends, or the blob was there. Errors: those of the fetch. */
  readonly begun: Promise<void>;
  readonly hasBegun: boolean;
  /** All of it has come, and can be read. Errors: those of the fetch. */
  readonly came: Promise<void>;
  /** It is on disk. Errors: those of the fetch. */
  readonly ended: Promise<void>;
  /** Fires when all have left before its turn came. */
  readonly unwanted: AbortSignal;
}

/** To be called by the one who fetches. */
export interface FetchProgress {
  /** From now on it goes on to its end, whoever leaves. */
  starts(): void;
  begins(): void;
  grows(growing: GrowingBlob): void;
  comes(): void;
  ends(failure?: { readonly error: unknown }): void;
}

export function sharedFetch(blob: Descriptor): { readonly fetch: SharedFetch; readonly progress: FetchProgress } {
  const [begun, came, ended] = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ];
  const all = [begun, came, ended];
  // Nobody may be waiting.
  for (const { promise } of all) promise.catch(() => {});
  const unwanted = new AbortController();
  let change = Promise.withResolvers<void>();
  let growing: GrowingBlob | undefined;
  let failure: { readonly error: unknown } | undefined;
  let readers = 0;
  let [hasStarted, hasBegun, isOver] = [false, false, false];

  const tell = () => {
    change.resolve();
    change = Promise.withResolvers();
  };
  const close = () => {
    const done = growing;
    if (!isOver || readers > 0) return;
    growing = undefined;
    void done?.[Symbol.asyncDispose]();
  };
  const watch = async (one: GrowingBlob) => {
    while (!isOver && one === growing) {
      await one.changed();
      tell();
    }
  };

  const fetch: SharedFetch = {
    blob,
    names: new Set(),
    begun: begun.promise,
    get hasBegun() {
      return hasBegun;
    },
    came: came.promise,
    ended: ended.promise,
    unwanted: unwanted.signal,
    get growing() {
      return growing;
    },
    get failure() {
      return failure;
    },
    changed: () => change.promise,
    enter: () => {
      readers += 1;
    },
    leave: () => {
      readers -= 1;
      if (readers === 0 && !hasStarted) unwanted.abort(new Error('nobody waits for it any more'));
      close();
    },
  };
  const progress: FetchProgress = {
    starts: () => {
      hasStarted = true;
    },
    begins: () => {
      hasBegun = true;
      begun.resolve();
    },
    grows: (one) => {
      const before = growing;
      growing = one;
      tell();
      void before?.[Symbol.asyncDispose]();
      void watch(one);
    },
    comes: () => came.resolve(),
    ends: (failed) => {
      failure = failed;
      isOver = true;
      for (const { resolve, reject } of all) failed ? reject(failed.error) : resolve();
      tell();
      close();
    },
  };
  return { fetch, progress };
}
