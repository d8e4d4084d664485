// Recognises requests of foreign web pages (Fetch standard, "Origin"; W3C Fetch Metadata). A browser on this machine or in its network
// sends what any page wants, so a page could push and delete. Pure.
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/**
 * Whether a foreign page made a browser send this request. Programs send neither `Origin` nor `Sec-Fetch-Site`. For a page of the registry itself,
 * the origin equals the address of the request, which is an IP address, `localhost` or one of `names`. Any other
 * name may have served a foreign page before it was made to point here (DNS rebinding).
 *
 * Such a page can read without either header: a GET to the own origin has no `Origin`, and plain http under a name has no fetch metadata. Then only headers
 * that all browsers send reveal it.
 */
export function isPageOfElsewhere(
  method: string,
  headers: Readonly<IncomingHttpHeaders>,
  names: readonly string[],
): boolean {
  const { origin } = headers;
  const site = headers['sec-fetch-site'];
  const host = headers.host?.toLowerCase() ?? '';
  if (origin === undefined && !hasFetchMetadata(headers)) return isOfBrowser(headers) && !isOwnHost(host, names);
  if (!isOwnHost(host, names)) return true;
  if (origin !== undefined && hostOf(origin) !== host) return true;
  if (site === undefined) return origin === undefined;
  if (site === 'same-origin') return false;
  // Typed by a person, or from a bookmark: no page is involved.
  return !(site === 'none' && origin === undefined && (method === 'GET' || method === 'HEAD'));
}

/** A page can change `User-Agent` (in Firefox and Safari), but cannot remove `Accept-Language`. Node's `fetch` sends both and is no browser. */
function isOfBrowser(headers: Readonly<IncomingHttpHeaders>): boolean {
  if (headers['sec-fetch-mode'] !== undefined) return false;
  return headers['accept-language'] !== undefined || /^Mozilla\//i.test(headers['user-agent'] ?? '');
}

/** Node's `fetch` sends `Sec-Fetch-Mode: cors` and no other such header. Browsers also send where the page is. */
function hasFetchMetadata(headers: Readonly<IncomingHttpHeaders>): boolean {
  const names = Object.keys(headers).filter((name) => name.startsWith('sec-fetch-'));
  return names.length > 0 && !(names.length === 1 && headers['sec-fetch-mode'] === 'cors');
}

function isOwnHost(host: string, names: readonly string[]): boolean {
  const [, v6, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(host) ?? [];
  if (v6 !== undefined) return isIP(v6) === 6;
  return isIP(name) === 4 || name === 'localhost' || names.some((own) => own.toLowerCase() === name);
}

/** Returns `undefined` for opaque origins: `null`, as for files and sandboxed pages. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/?#@]+)$/i.exec(origin)?.[1]?.toLowerCase();
}
