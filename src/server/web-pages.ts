// Tells web pages of elsewhere from everybody else (Fetch standard, "Origin"; W3C Fetch Metadata). A browser on the machine, or in its network,
// sends what any page wants: pages could push and delete. Pure.
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/**
 * Whether a page of elsewhere has a browser ask for this. Programs send neither `Origin` nor `Sec-Fetch-Site`. A page of the registry's own
 * has its origin at what the request itself is sent to, and that is an address, `localhost` or one of `names`: under any other
 * name a page of elsewhere may have been served, before the name was made to lead here (DNS rebinding).
 *
 * Such a page reads without either: GET of the own origin has no `Origin`, and plain http under a name no fetch metadata. Then only the browser gives itself away.
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
  // What a person typed, or chose among bookmarks: no page asks.
  return !(site === 'none' && origin === undefined && (method === 'GET' || method === 'HEAD'));
}

/** A page may send another `User-Agent` (in Firefox and Safari), but no request without `Accept-Language`. Node's `fetch`, which says both of itself, is none. */
function isOfBrowser(headers: Readonly<IncomingHttpHeaders>): boolean {
  if (headers['sec-fetch-mode'] !== undefined) return false;
  return headers['accept-language'] !== undefined || /^Mozilla\//i.test(headers['user-agent'] ?? '');
}

/** Node's own `fetch` says `Sec-Fetch-Mode: cors` and nothing else of the kind; browsers say where the page is, too. */
function hasFetchMetadata(headers: Readonly<IncomingHttpHeaders>): boolean {
  const names = Object.keys(headers).filter((name) => name.startsWith('sec-fetch-'));
  return names.length > 0 && !(names.length === 1 && headers['sec-fetch-mode'] === 'cors');
}

function isOwnHost(host: string, names: readonly string[]): boolean {
  const [, v6, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(host) ?? [];
  if (v6 !== undefined) return isIP(v6) === 6;
  return isIP(name) === 4 || name === 'localhost' || names.some((own) => own.toLowerCase() === name);
}

/** `undefined` for an origin that is none: `null`, that of a file or of a page in a sandbox. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/?#@]+)$/i.exec(origin)?.[1]?.toLowerCase();
}
