// The bearer tokens of one host while they are valid. A token is fetched once for each set of scopes, and shared by all who wait.
import { coversScopes, mergeScopes, type TokenScope } from './scopes.ts';
import type { Token } from './tokens.ts';

export interface HeldTokens {
  /** The value of the header Authorization: of a token that is held and covers these scopes, or of the one that is fetched. */
  authorization(scopes: readonly TokenScope[], fetch: FetchToken): Promise<string>;
  /** Notes that the host accepted this value. */
  accepted(value: string): void;
  /** Whether the host accepted it before; `undefined` if it is not the value of a token that is held. */
  wasAccepted(value: string): boolean | undefined;
  /** The value is not used any more. */
  drop(value: string): void;
}

/** The scopes are merged, and sorted. */
export type FetchToken = (scopes: readonly TokenScope[]) => Promise<Token>;

interface HeldToken {
  readonly scopes: readonly TokenScope[];
  readonly token: Promise<Token>;
  /** The header's value; absent until the token is there. */
  value?: string;
  expires: number;
  wasAccepted: boolean;
}

export function heldTokens(): HeldTokens {
  const held = new Map<string, HeldToken>();
  const heldAs = (value: string) => [...held].find(([, entry]) => entry.value === value);

  async function fetched(scopes: readonly TokenScope[], fetch: FetchToken): Promise<string> {
    const key = scopes.join(' ');
    const token = fetch(scopes);
    // No `await` before this, or another caller could fetch a second token in between.
    const entry: HeldToken = { scopes, token, expires: Number.POSITIVE_INFINITY, wasAccepted: false };
    held.set(key, entry);
    try {
      const { value, expires } = await token;
      entry.expires = expires;
      entry.value = bearer(value);
      return entry.value;
    } catch (error) {
      if (held.get(key) === entry) held.delete(key);
      throw error;
    }
  }

  return {
    authorization: async (wanted, fetch) => {
      const scopes = mergeScopes(wanted);
      const usable = [...held.values()].find((each) => each.expires > Date.now() && coversScopes(each.scopes, scopes));
      return usable ? bearer((await usable.token).value) : await fetched(scopes, fetch);
    },
    accepted: (value) => {
      const entry = heldAs(value)?.[1];
      if (entry) entry.wasAccepted = true;
    },
    wasAccepted: (value) => heldAs(value)?.[1].wasAccepted,
    drop: (value) => {
      const key = heldAs(value)?.[0];
      if (key !== undefined) held.delete(key);
    },
  };
}

function bearer(token: string): string {
  return `Bearer ${token}`;
}
