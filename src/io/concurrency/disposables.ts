// Things that are disposed of together. Node has DisposableStack only from version 24 on.

export interface Disposables extends Disposable {
  /** Returns what was added. */
  add<T extends Disposable>(one: T): T;
  /** From now on the caller disposes of all, by what is returned. */
  handOver(): () => void;
}

/** Disposed of in the reverse order. */
export function disposables(): Disposables {
  let all: Disposable[] = [];
  const disposeOf = (some: readonly Disposable[]) => {
    for (const one of some.toReversed()) one[Symbol.dispose]();
  };
  return {
    add: (one) => {
      all.push(one);
      return one;
    },
    handOver: () => {
      const some = all;
      all = [];
      return () => disposeOf(some);
    },
    [Symbol.dispose]: () => disposeOf(all),
  };
}
