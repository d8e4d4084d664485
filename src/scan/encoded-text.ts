// Texts that are written encoded: base64, gzip in base64 (cloud-init, Cluster API, Secrets), and data URLs (Ignition).
import { AsyncLocalStorage } from 'node:async_hooks';
import { constants, gunzipSync } from 'node:zlib';

/** Encoded and decoded: no manifest in a text is bigger. */
export const MAX_ENCODED = 4 << 20;
/** Bytes that all texts of one scan may unpack to: gzip makes a thousand times as much of what is written. */
const MAX_UNPACKED = 16 << 20;
const unpacked = new AsyncLocalStorage<{ left: number }>();

/** Runs one scan. */
export function withUnpacking<T>(run: () => T): T {
  return unpacked.run({ left: MAX_UNPACKED }, run);
}

/** Something that begins as a text and is longer than that, or than what is left for all. */
export const TOO_LONG = Symbol('too long');
/** So much of what is packed cannot unpack to more than a few MiB. */
const BEGINNING = 4096;
/** Shorter words are names, however they look. */
const MIN_LENGTH = 20;
const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}$/;
/** RFC 2397. */
const DATA_URL = /^data:([\w.+/-]*(?:;[\w.+-]+=[\w.+-]+)*)(;base64)?,/;
/** Bytes that no text has. */
const BINARY = /[\u0000-\u0008]/;

/** In a document with such a text, this is found. */
export const ENCODED = /[A-Za-z0-9+/]{20}|\bdata:[\w.+/;=-]*,/;

/** The text that these characters stand for; undefined where they are not encoded, or stand for something else than a text. */
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
    // No gzip, or far too many bytes.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') return undefined;
    return beginsAsText(bytes) ? TOO_LONG : undefined;
  }
}

function beginsAsText(packed: Uint8Array): boolean {
  const beginning = gunzipSync(packed.subarray(0, BEGINNING), { finishFlush: constants.Z_SYNC_FLUSH });
  return textOfBytes(beginning, { isPart: true }) !== undefined;
}

/** Undefined for bytes that are no UTF-8, or that no text has. The last character of a part may be cut. */
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
