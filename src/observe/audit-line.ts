// One line for each write to a registry, and for each refusal: who, from where, what, with which result. Its words are separated by blanks, and no name adds one.
import type { RequestEvent } from '../server/events.ts';
import { safePath } from './safe-path.ts';

export interface AuditLine {
  readonly kind: 'write' | 'refusal';
  readonly text: string;
}

/** In characters: what is refused may be sent by anybody, and is 64 KiB long at most. */
const LONGEST = 300;

/** Returns `undefined` for requests that are worth no line: what is read, steps of an upload, and the 401 that makes a client send its credentials. */
export function auditLine(event: RequestEvent): AuditLine | undefined {
  const { method, url, status, code, via, remote } = event;
  const isWrite = isWritten(method, status);
  if (!isWrite && !isRefused(status, via)) return undefined;
  const what = `${method} ${safePath(url)} ${status}${code === undefined ? '' : ` ${code}`}`;
  return { kind: isWrite ? 'write' : 'refusal', text: `audit: ${whoOf(event)} ${remote} ${what}` };
}

/** No name of a user has a colon, so none looks like another's, or like a word of ours. */
export function whoOf({ user, token, tried, via }: Pick<RequestEvent, 'user' | 'token' | 'tried' | 'via'>): string {
  if (user !== undefined) return WORDS.has(user) ? `user:${user}` : word(user);
  if (token !== undefined) return `token:${word(token)}`;
  if (tried !== undefined) return `unknown:${word(tried)}`;
  return via ?? 'unknown';
}

const WORDS: ReadonlySet<string> = new Set<NonNullable<RequestEvent['via']> | 'unknown'>([
  'nobody',
  'password',
  'token',
  'machine',
  'owner',
  'unknown',
]);

/** Percent signs are escaped, too, so that no two names have one text. */
const UNSAFE = /[%\s\p{Cc}\p{Cf}]/gu;

function word(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return short.replaceAll(UNSAFE, (character) => encodeURIComponent(character));
}

/** A manifest or a blob that is there now (by an upload or a mount), or something that was removed. */
function isWritten(method: string, status: number): boolean {
  return (status === 201 && (method === 'PUT' || method === 'POST')) || (status < 300 && method === 'DELETE');
}

function isRefused(status: number, via: RequestEvent['via']): boolean {
  return status === 403 || status === 429 || (status === 401 && via !== 'nobody');
}
