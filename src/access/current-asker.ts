// The asker of the request that is being answered: known to the policy below all names, wherever a call comes from (AsyncLocalStorage).
import { AsyncLocalStorage } from 'node:async_hooks';
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
