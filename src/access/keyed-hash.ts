// Keyed hashes (HMAC-SHA256, RFC 2104): who does not know the key learns nothing from them, nor from the time that comparing them takes.
import { createHmac, hash, timingSafeEqual } from 'node:crypto';

/** `parts` are kept apart: `['a', 'b']` has another hash than `['ab']`. In base64url, 43 characters. */
export function keyedHash(key: Uint8Array, parts: readonly string[]): string {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:`).update(part);
  return hmac.digest('base64url');
}

/**
 * A key for tables of this process, which is never told: a quarter of the cost of an HMAC, which matters at each request. Nobody can make two texts with one key, nor
 * guess keys, without the secret: random text of one length.
 */
export function tableKey(secret: string, parts: readonly string[]): string {
  return hash('sha256', `${secret}${parts.map((part) => `${part.length}:${part}`).join('')}`, 'base64url');
}

/** A key for one use only, made of a key for many. */
export function keyFor(use: string, key: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(createHmac('sha256', key).update(use).digest());
}

/** Compares texts in a time that says nothing of where they differ. */
export function isSameSecret(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)];
  return first.length === second.length && timingSafeEqual(first, second);
}
