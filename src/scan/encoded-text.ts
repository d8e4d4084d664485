// Encoded texts: base64, gzip in base64 (cloud-init, Cluster API, Secrets), and data URLs (Ignition).
import { AsyncLocalStorage } from 'node:async_hooks';
import { constants, gunzipSync } from 'node:zlib';

/** Limit in bytes, for the encoded as well as for the decoded text. Larger than any manifest in a text. */
export const MAX_ENCODED = 4 << 20;
/** Limit in bytes for all gunzipped texts of one scan, since gzip can expand by a factor of 1000. */
const MAX_UNPACKED = 16 << 20;
const unpacked = new AsyncLocalStorage<{ left: number }>();

/** Runs one scan with its own limit. */
export function withUnpacking<T>(run: () => T): T {
  return unpacked.run({ left: MAX_UNPACKED }, run);
}

/** Result for a text that exceeds the limit of one text, or what remains of the limit of the scan. */
export const TOO_LONG = Symbol('too long');
/** Number of packed bytes that are unpacked to see whether they begin as text. They cannot expand to more than a few MiB. */
const BEGINNING = 4096;
/** Shorter words are taken for names, even if they are valid base64. */
const MIN_LENGTH = 20;
const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}$/;
/** RFC 2397. */
const DATA_URL = /^data:([\w.+/-]*(?:;[\w.+-]+=[\w.+-]+)*)(;base64)?,/;
/** Bytes that do not occur in texts. */
const BINARY = /[\u0000-\u0008]/;

/** Matches every document that contains an encoded text. */
export const ENCODED = /[A-Za-z0-9+/]{20}|\bdata:[\w.+/;=-]*,/;

/** Decodes a text. Returns `undefined` if it is not encoded, or if the content is not text. */
export function decodedText(text: string): string | typeof TOO_LONG | undefined {
  if (text.length < MIN_LENGTH || text.length > MAX_ENCODED) return undefined;
  const url = text.startsWith('data:') ? DATA_URL.exec(text) : null;
  if (url) {
    const content = text.slice(url[0].length);
    return url[2] ? fromBase64(percentDecoded(content) ?? '') : percentDecoded(content);
  }
  return fromBase64(text);
}

function fromBase64(text: string): string | typeof TOO_LONG | undefined {
  if (!BASE64.test(text.trimEnd())) return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return textOfBytes(bytes);
  const budget = unpacked.getStore() ?? { left: MAX_UNPACKED };
  try {
    const plain = gunzipSync(bytes, { maxOutputLength: Math.max(1, Math.min(MAX_ENCODED, budget.left)) });
    budget.left -= plain.length;
    return textOfBytes(plain);
  } catch (error) {
    // Either not gzip, or larger than the limit.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') return undefined;
    return beginsAsText(bytes) ? TOO_LONG : undefined;
  }
}

function beginsAsText(packed: Uint8Array): boolean {
  const beginning = gunzipSync(packed.subarray(0, BEGINNING), { finishFlush: constants.Z_SYNC_FLUSH });
  return textOfBytes(beginning, { isPart: true }) !== undefined;
}

/** Returns `undefined` for bytes that are not UTF-8 or do not occur in texts. With `isPart`, the last character may be cut off. */
function textOfBytes(bytes: Uint8Array, { isPart = false } = {}): string | undefined {
  try {
    const decoded = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: isPart });
    return BINARY.test(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
