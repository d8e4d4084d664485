// One line for each write to a registry, and for each refusal: who, from where, what, with which result.
import type { RequestEvent } from '../../server/events.ts';
import { safeText } from '../process/safe-text.ts';

/** Returns `undefined` for requests that are worth no line: what is read, steps of an upload, and the 401 that makes a client send its credentials. */
export function auditLine({ method, url, status, code, user, token, via, remote }: RequestEvent): string | undefined {
  if (!isWritten(method, status) && !isRefused(status, via)) return undefined;
  const who = user ?? (token === undefined ? (via ?? 'unknown') : `token ${token}`);
  const what = `${method} ${url} ${status}${code === undefined ? '' : ` ${code}`}`;
  return safeText(`audit: ${who} ${remote} ${what}`).replace(/[\r\n\t]/g, '?');
}

/** A manifest or a blob that is there now (by an upload or a mount), or something that was removed. */
function isWritten(method: string, status: number): boolean {
  return (status === 201 && (method === 'PUT' || method === 'POST')) || (status < 300 && method === 'DELETE');
}

function isRefused(status: number, via: RequestEvent['via']): boolean {
  return status === 403 || status === 429 || (status === 401 && via !== 'nobody');
}
