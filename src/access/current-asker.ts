// The asker of the request that is being answered: known to the policy below all names, wherever a call comes from (AsyncLocalStorage).
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Bytes, canFill, wholeOf } from '../io/streams/bytes.ts';
import type { Action, Asker } from './contract.ts';

/** One request. */
export interface Asking {
  readonly asker: Asker;
  /** What was treated as absent because the asker may not see it. */
  refused?: { readonly repository: string; readonly action: Action };
  /** The server does it by itself, for no asker. */
  readonly isServer?: true;
}

const current = new AsyncLocalStorage<Asking>();

/** Runs `work`, and all that it starts, for this request. */
export function asAsking<T>(asking: Asking, work: () => T): T {
  return current.run(asking, work);
}

/** Bytes that are read for this request, whoever reads them. Those that are in memory, or fill a buffer from an open file, ask nothing while they are read. */
export function bytesAsAsking(asking: Asking, bytes: Bytes): Bytes {
  if (canFill(bytes) || wholeOf(bytes)) return bytes;
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = asAsking(asking, () => bytes[Symbol.asyncIterator]());
      return {
        next: () => asAsking(asking, () => iterator.next()),
        return: async () => (await asAsking(asking, () => iterator.return?.())) ?? { done: true, value: undefined },
      };
    },
  };
}

/** Runs what the server does by itself, such as discarding uploads that nobody continues: all is permitted. */
export function asServer<T>(work: () => T): T {
  return current.run({ asker: { via: 'owner', address: '' }, isServer: true }, work);
}

/** A registry that is asked outside of a request by mistake gives nothing. */
export function requireAsking(): Asking {
  const asking = current.getStore();
  if (!asking) throw new Error('the registry was asked outside of a request');
  return asking;
}
