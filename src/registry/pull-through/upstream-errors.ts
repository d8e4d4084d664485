// What clients are told when the registry of an image fails: which one, and what it said; never the operator's own files and users.
import { isRefusedLead } from '../../io/http/led-by.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { UpstreamName } from './contract.ts';

/** The error as clients get it. What is no failure of the other registry (a full disk, a bug) stays as it is. */
export function upstreamError(error: unknown, { host, path }: UpstreamName, what: string): unknown {
  const name = `${host}/${path}${what.includes(':') ? '@' : ':'}${what}`;
  if (isTimeout(error)) return failed('TIMEOUT', `${host} has not answered in time [${name}]`, error);
  if (!isImagesError(error) || error.isPublic) return error;
  if (isRefusedLead(error)) return refusedLead(error, host, name);
  const { said } = error;
  const words = said ? ` (${said})` : '';
  switch (error.code) {
    case 'MANIFEST_UNKNOWN':
    case 'BLOB_UNKNOWN':
    case 'NAME_UNKNOWN':
    case 'RANGE_INVALID':
      return new ImagesError(error.code, `${host} does not have it [${name}]${words}`, { cause: error });
    case 'UNAUTHORIZED':
    case 'DENIED':
      return new ImagesError('DENIED', `${host} does not let this registry have it [${name}]${words}`, {
        hint: 'There may be no such image, or whoever runs this registry has to log in there: `images login`.',
        cause: error,
      });
    case 'TOOMANYREQUESTS':
      return new ImagesError(error.code, `${host} wants fewer requests for now [${name}]${words}`, {
        hint: 'Try again later; a login of whoever runs this registry raises most limits.',
        cause: error,
      });
    case 'TIMEOUT':
      return failed('TIMEOUT', `${host} has not answered in time [${name}]`, error);
    case 'UNREACHABLE':
      return failed('UNREACHABLE', `${host} cannot be reached from this registry [${name}]`, error);
    case 'BROKEN_OFF':
      return failed('BROKEN_OFF', `${host} broke the connection off [${name}]`, error);
    case 'SERVER_ERROR':
      return failed('SERVER_ERROR', `${host} has trouble of its own [${name}]${words}`, error);
    case 'BAD_ANSWER':
    case 'DIGEST_INVALID':
    case 'SIZE_INVALID':
    case 'MANIFEST_INVALID':
    case 'MANIFEST_TOO_LARGE':
      return failed('BAD_ANSWER', `${host} does not answer as a registry does [${name}]`, error);
    case 'UNSUPPORTED':
      return failed('BAD_ANSWER', `${host} gives nothing that can be served [${name}]`, error);
    default:
      return error;
  }
}

/** Which address it is, only the operator is told. */
function refusedLead(cause: ImagesError, host: string, name: string): ImagesError {
  return new ImagesError(
    'DENIED',
    `${host} is, or leads to, an address that is not public: it has to be named [${name}]`,
    {
      hint: `Whoever runs this registry, if that host is meant: start it with --proxy=${host}, or add it to hosts of [proxy] in registry.toml.`,
      cause,
    },
  );
}

/** A request that came from this very registry, by whatever way. Clients do not repeat it. */
export function loopError({ host, path }: UpstreamName): ImagesError {
  return new ImagesError('DENIED', `a loop: this registry was asked by itself for ${host}/${path}`, {
    hint: `Whoever runs this registry: ${host} leads back to it (/etc/hosts, DNS or a mirror), or is a proxy that asks it.`,
  });
}

/** Whether the other registry cannot help now, and what is here has to do. */
export function isTrouble(error: unknown): boolean {
  return !isImagesError(error, 'MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'NAME_UNKNOWN');
}

/** Whether the store here cannot take anything just now: what is asked for can be passed on all the same. */
export function isUnstorable(error: unknown): boolean {
  return isImagesError(error, 'NO_SPACE', 'READ_ONLY', 'NO_ACCESS');
}

function failed(code: ImagesError['code'], message: string, cause: unknown): ImagesError {
  return new ImagesError(code, message, { isPublic: true, cause });
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError';
}
