// Translates an unexpected answer, by its status and OCI error body (distribution specification 1.1, "Error Codes"), into an ImagesError: one line, no secrets.
import { isUtf8 } from 'node:buffer';
import { parseRetryAfter } from '../../io/concurrency/backoff.ts';
import { failedRequest, type HttpAnswer } from '../../io/http/http.ts';
import { readUpTo } from '../../io/http/http-whole.ts';
import { quote } from '../../io/text/quote.ts';
import { ImagesError, type RegistryErrorCode } from '../../oci/errors.ts';
import { answerWords } from './answer-words.ts';
import { uncoded } from './content-encoding.ts';

/** What was requested. It decides what a bare status means. */
export interface Asked {
  /** For error messages: `manifest library/alpine:3.20`. */
  readonly what: string;
  /** What 404 means if the body does not say. */
  readonly unknown: RegistryErrorCode;
  /** What 400 means if the body does not say. */
  readonly invalid?: RegistryErrorCode;
}

/** The credentials in use, for the message when a host refuses access. */
export interface Access {
  /** What the user can do. */
  readonly hint: string;
  /** The credentials that were sent, or for which a token was fetched: `those of [me] from FILE`. */
  readonly used: string | undefined;
}

const CODES: ReadonlySet<string> = new Set<RegistryErrorCode>([
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DENIED',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'PAGINATION_NUMBER_INVALID',
  'RANGE_INVALID',
  'SIZE_INVALID',
  'TAG_INVALID',
  'TOOMANYREQUESTS',
  'UNAUTHORIZED',
  'UNSUPPORTED',
]);

const MAX_ERROR_BODY = 64 * 1024;

/** For errors that came from an answer: how long the host asked to wait before the next attempt, in milliseconds. */
const pauses = new WeakMap<ImagesError, number>();

export function pauseAskedFor(error: unknown): number | undefined {
  return error instanceof ImagesError ? pauses.get(error) : undefined;
}

/** Makes the error; reads the answer to its end. */
export async function answerError(answer: HttpAnswer, asked: Asked, access?: Access): Promise<ImagesError> {
  const { status } = answer;
  const { codes, said } = answerWords(await readText(answer), answer.headers['content-type'] ?? '');
  const code = errorCode(status, codes, asked);
  const summary = `${answer.url.host}: ${sentence(code, status, { asked, access })}`;
  const hint = code === 'UNAUTHORIZED' ? access?.hint : hintFor(code, status);
  const request = failedRequest(answer);
  const error = new ImagesError(code, summary, { status, said, request, ...(hint && { hint }) });
  // A date is relative to the host's clock, which its Date header tells.
  const pause = parseRetryAfter(answer.headers['retry-after'], Date.parse(answer.headers.date ?? '') || Date.now());
  if (pause !== undefined) pauses.set(error, pause);
  return error;
}

/** BAD_ANSWER, with what came instead of the answer of a registry. */
export function badAnswer(answer: HttpAnswer, asked: Asked, text: string): ImagesError {
  const type = answer.headers['content-type'] ?? 'nothing';
  return new ImagesError(
    'BAD_ANSWER',
    `${answer.url.host} does not answer like a registry for ${asked.what}: ${quote(type)} [${quote(text, 60)}]`,
    {
      hint: 'Check the host: a proxy or a login page may stand in its place.',
      status: answer.status,
      request: failedRequest(answer),
    },
  );
}

/** At most `limit` bytes of the body as text. Stops at the pool's limit: a body that breaks off or never ends must not hide the status, which says enough. */
export async function readText(answer: HttpAnswer, limit: number = MAX_ERROR_BODY): Promise<string> {
  const { bytes } = await readUpTo(answer, { bytes: limit, within: answer.textWithin });
  return Buffer.from(await uncoded(answer, bytes, { limit, wanted: isText })).toString('utf8');
}

function isText(bytes: Uint8Array): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}

function errorCode(status: number, codes: readonly string[], asked: Asked): ImagesError['code'] {
  // Docker Hub and others send DENIED with 401. The status is what matters to the user.
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 429) return 'TOOMANYREQUESTS';
  const known = codes.find((code): code is RegistryErrorCode => CODES.has(code));
  if (known) return known;
  if (status === 400 && asked.invalid) return asked.invalid;
  if (status === 403) return 'DENIED';
  if (status === 404) return asked.unknown;
  if (status === 405 || status === 501) return 'UNSUPPORTED';
  if (status === 413) return asked.unknown === 'MANIFEST_UNKNOWN' ? 'MANIFEST_TOO_LARGE' : 'SIZE_INVALID';
  if (status === 416) return 'RANGE_INVALID';
  if (status === 507) return 'NO_SPACE';
  return status >= 500 ? 'SERVER_ERROR' : 'BAD_ANSWER';
}

interface Situation {
  readonly asked: Asked;
  readonly access: Access | undefined;
}

function sentence(code: ImagesError['code'], status: number, { asked, access }: Situation): string {
  const used = access?.used;
  switch (code) {
    case 'UNAUTHORIZED':
      return used
        ? `credentials were not accepted (${used}) for ${asked.what}`
        : `credentials are needed for ${asked.what}`;
    case 'DENIED':
      return `access is denied${used ? ` (to ${used})` : ''} for ${asked.what}`;
    case 'TOOMANYREQUESTS':
      return `too many requests, at ${asked.what}`;
    case 'UNSUPPORTED':
      return `the registry does not support this for ${asked.what}`;
    default:
      return status === 404 ? `there is no ${asked.what}` : `status ${status} for ${asked.what}`;
  }
}

function hintFor(code: ImagesError['code'], status: number): string | undefined {
  if (status === 413) return 'The registry, or a proxy in front of it, has a limit that is too low: raise it there.';
  if (status === 407) return 'Write user and password into http_proxy.';
  switch (code) {
    case 'DENIED':
      return 'Use credentials that may do this.';
    case 'TOOMANYREQUESTS':
      return 'Try again later; a `images login` or a mirror raises most limits.';
    case 'MANIFEST_UNKNOWN':
    case 'NAME_UNKNOWN':
      return 'Check name and tag; a private repository may hide until `images login`.';
    case 'UNSUPPORTED':
      return 'It may be read-only, or be one that cannot do this; docker-registry and the embedded one can.';
    case 'SERVER_ERROR':
      return 'Try again later; the log of the registry says more.';
    default:
      return undefined;
  }
}
