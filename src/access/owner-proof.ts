// How a program on the same machine proves that it can read the secret of the store's owner: by a token that is made of it, and never by the secret itself.
//
//   owner.SECONDS.MAC      SECONDS since 1970; MAC is keyed by the secret, over the process that serves and SECONDS
//
// The process is part of it, because another one may take the port of a registry that has crashed: what it is sent is of no use with any registry that runs.
import { isSameSecret, keyedHash, keyFor } from './keyed-hash.ts';

export interface StoreOwner {
  /** Known to the registry, and to those who can read its file. */
  readonly secret: string;
  /** The process that serves, unlike all others before and after it. */
  readonly registry: string;
}

/** In seconds, to both sides: client and server have one clock, which may be set meanwhile. */
const VALID = 300;
const FORM = /^bearer +owner\.(\d{1,12})\.([A-Za-z0-9_-]{43}) *$/i;

/** `now` in ms since 1970. */
export function ownerProof({ secret, registry }: StoreOwner, now: number): string {
  const seconds = String(Math.floor(now / 1000));
  return `owner.${seconds}.${macOf(secret, registry, seconds)}`;
}

/** Whether an `Authorization` header holds such a proof. An empty secret proves nothing. */
export function isFromOwner(authorization: string, { secret, registry }: StoreOwner, now: number): boolean {
  const [, seconds, mac] = FORM.exec(authorization) ?? [];
  if (seconds === undefined || mac === undefined || secret === '') return false;
  return Math.abs(now / 1000 - Number(seconds)) <= VALID && isSameSecret(mac, macOf(secret, registry, seconds));
}

function macOf(secret: string, registry: string, seconds: string): string {
  return keyedHash(keyFor('owner-proof', Buffer.from(secret)), [registry, seconds]);
}
