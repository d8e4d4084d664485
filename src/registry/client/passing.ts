// Decides which errors are temporary, for everything that can be retried.
import type { RetryVerdict } from '../../io/concurrency/retry.ts';
import { systemCode } from '../../io/http/http-failure.ts';
import { type ImagesError, isImagesError } from '../../oci/errors.ts';
import { pauseAskedFor } from './answer-errors.ts';

const STATUSES: readonly number[] = [408, 429, 500, 502, 503, 504];

export function isPassing(status: number | undefined): boolean {
  return status !== undefined && STATUSES.includes(status);
}

/** Errors of requests with a stream, which could not be sent again when their token had expired. The token has been renewed since. */
const renewed = new WeakSet<ImagesError>();

export function withTokenRenewed(error: ImagesError): ImagesError {
  renewed.add(error);
  return error;
}

/** `timeouts`: how often a silent host may be asked again. Each silence takes half a minute. */
export function judgePassing(error: unknown, done: number, timeouts: number): RetryVerdict {
  if (!isImagesError(error)) return 'give-up';
  if (error.code === 'BROKEN_OFF') return {};
  // A token can expire while a long blob is being sent.
  if (renewed.has(error)) return done === 1 ? {} : 'give-up';
  if (error.code === 'TIMEOUT') return done <= timeouts ? {} : 'give-up';
  if (error.code === 'UNREACHABLE') return systemCode(error) === 'EAI_AGAIN' ? {} : 'give-up';
  if (!isPassing(error.status)) return 'give-up';
  const after = pauseAskedFor(error);
  return after === undefined ? {} : { after };
}
