// Handles answers with a Content-Encoding. The header is not trusted: bytes are decoded only if they are not valid as they were sent.
import type { HttpAnswer } from '../../io/http/http.ts';

/** The codings in the order in which they were applied; empty if there are none. */
export function contentCodings(answer: HttpAnswer): readonly string[] {
  const header = answer.headers['content-encoding'];
  if (header === undefined) return [];
  return header
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
    .slice(-MAX_CODINGS);
}

/** Whether it is a type for people. No registry uses one for blobs, but login pages and proxies do. */
export function isPage(type: string): boolean {
  return /^(?:text\/html|application\/xhtml)\b/i.test(type);
}

/** More codings than this are not plausible. */
const MAX_CODINGS = 3;

/** The bytes as sent or decoded, whichever are `wanted`; as sent if neither are. */
export async function uncoded(
  answer: HttpAnswer,
  bytes: Uint8Array,
  { limit, wanted }: { readonly limit: number; readonly wanted: (bytes: Uint8Array) => boolean },
): Promise<Uint8Array> {
  const codings = contentCodings(answer);
  if (codings.length === 0 || wanted(bytes)) return bytes;
  const { decodeBytes } = await import('../../io/http/content-coding.ts');
  const decoded = decodeBytes(bytes, codings, limit);
  return decoded && wanted(decoded) ? decoded : bytes;
}
