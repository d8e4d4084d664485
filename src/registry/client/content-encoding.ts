// Answers whose Content-Encoding says that they are coded. Bytes are believed, not headers: they are decoded only where as sent they are not what is wanted.
import type { HttpAnswer } from '../../io/http/http.ts';

/** In the order in which they were applied; none where the bytes are sent as they are. */
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

/** What people read: no registry calls a blob so, but login pages and proxies do. */
export function isPage(type: string): boolean {
  return /^(?:text\/html|application\/xhtml)\b/i.test(type);
}

/** Nobody codes more often for a reason. */
const MAX_CODINGS = 3;

/** Those of the two, as sent and decoded, that are wanted; as sent where neither is. */
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
