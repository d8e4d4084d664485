// What a request says in its `Authorization` header (RFC 9110, section 11.6.2; RFC 7617; RFC 6750). Pure.
import { ImagesError } from '../oci/errors.ts';

export type SentCredentials =
  | { readonly type: 'none' }
  | { readonly type: 'basic'; readonly user: string; readonly password: string }
  | { readonly type: 'bearer'; readonly token: string };

const MAX_HEADER = 16 * 1024;

/** Errors: UNAUTHORIZED, for all that is no user with a password, and no token. */
export function parseAuthorization(header: string | undefined): SentCredentials {
  if (header === undefined || header === '') return { type: 'none' };
  if (header.length > MAX_HEADER) return refuseHeader();
  const [, scheme = '', value = ''] = /^([A-Za-z]+) +([A-Za-z0-9._~+/-]+=*) *$/.exec(header) ?? refuseHeader();
  if (scheme.toLowerCase() === 'bearer') return { type: 'bearer', token: value };
  return scheme.toLowerCase() === 'basic' ? parseBasic(value) : refuseHeader();
}

function parseBasic(value: string): SentCredentials {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return refuseHeader();
  const bytes = Buffer.from(value, 'base64');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuseHeader();
  }
  const colon = text.indexOf(':');
  if (colon < 0) return refuseHeader();
  // podman, buildah and skopeo send nobody's name and no password if they have none.
  if (text === ':') return { type: 'none' };
  return { type: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function refuseHeader(): never {
  throw new ImagesError('UNAUTHORIZED', 'the Authorization header is neither a user with a password nor a token');
}
