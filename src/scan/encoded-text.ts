// Texts that are written encoded: base64, gzip in base64 (cloud-init, Cluster API, Secrets), and data URLs (Ignition). Pure.
import { gunzipSync } from 'node:zlib';

/** Encoded and decoded: no manifest in a text is bigger. */
export const MAX_ENCODED = 4 << 20;
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
export function decodedText(text: string): string | undefined {
  if (text.length < MIN_LENGTH || text.length > MAX_ENCODED) return undefined;
  const url = text.startsWith('data:') ? DATA_URL.exec(text) : null;
  if (url) {
    const content = text.slice(url[0].length);
    return url[2] ? fromBase64(percentDecoded(content) ?? '') : percentDecoded(content);
  }
  return fromBase64(text);
}

function fromBase64(text: string): string | undefined {
  if (!BASE64.test(text.trimEnd())) return undefined;
  const bytes = Buffer.from(text, 'base64');
  try {
    const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, { maxOutputLength: MAX_ENCODED }) : bytes;
    const decoded = new TextDecoder('utf-8', { fatal: true }).decode(plain);
    return BINARY.test(decoded) ? undefined : decoded;
  } catch {
    // Bytes that are no UTF-8, no gzip, or far too many: not a text.
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
