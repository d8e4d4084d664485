// The bytes of a blob over HTTP. A broken transfer is resumed where it stopped; from an answer with more than the requested range, the range is taken.
import { type Backoff, backoffDelay, pause } from '../../io/concurrency/backoff.ts';
import { isGivenUp } from '../../io/concurrency/retry.ts';
import type { HttpAnswer } from '../../io/http/http.ts';
import { systemCode } from '../../io/http/http-failure.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { RetryEvent } from './settings.ts';

export type BlobAnswer = Pick<HttpAnswer, 'url' | 'status' | 'headers' | 'body' | 'discard'>;

export interface OpenedRange {
  readonly first: BlobAnswer;
  readonly open: (from: number) => Promise<BlobAnswer>;
  readonly from: number;
  readonly end: number;
}

export interface ResumeSettings {
  /** For error messages: `blob sha256:…`. */
  readonly what: string;
  readonly host: string;
  readonly backoff: Backoff;
  readonly onRetry: ((event: RetryEvent) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** In bytes. Fewer than this between two failures count as no progress: a host that sends a few bytes each time must not be asked for ever. */
const PROGRESS = 64 * 1024;

/** How often a host may fall silent before the transfer fails. Each silence takes a minute. */
const SILENCES = 2;

/** Resumes a broken transfer as long as there is progress. Errors: BROKEN_OFF, TIMEOUT and UNREACHABLE if there is none; BAD_ANSWER; those of `open`. */
export async function* resumed(
  { first, open, from, end }: OpenedRange,
  { what, host, backoff, onRetry, signal }: ResumeSettings,
): AsyncGenerator<Uint8Array> {
  let at = from;
  let answer: BlobAnswer | undefined = first;
  for (let failures = 1, since = at; ; failures += 1) {
    try {
      answer ??= await open(at);
      for await (const chunk of clipped(answer, at, end)) {
        at += chunk.length;
        yield chunk;
      }
      if (at === end) return;
      throw new ImagesError('BROKEN_OFF', `${answer.url.host} ended ${what} at byte ${at} of ${end}`);
    } catch (error) {
      if (!isImagesError(error) || !(isRestart(error) || isBreak(error))) throw error;
      if (at - since >= PROGRESS) failures = 1;
      since = at;
      if (failures >= (error.code === 'TIMEOUT' ? SILENCES : backoff.attempts)) throw error;
      const after = backoffDelay(backoff, failures);
      onRetry?.({ host, what, after, why: error.message });
      await pause(backoff, after, signal);
      answer = undefined;
    }
  }
}

function isBreak(error: ImagesError): boolean {
  return isImagesError(error, 'BROKEN_OFF', 'TIMEOUT') && !isGivenUp(error);
}

/** A host that has just been sending, and refuses connections, is being restarted. A first request is refused for good. */
function isRestart(error: ImagesError): boolean {
  return error.code === 'UNREACHABLE' && systemCode(error) === 'ECONNREFUSED';
}

/** The bytes from `at` to `end` of an answer that may hold more: hosts may ignore Range (RFC 9110, section 14.2). */
async function* clipped(answer: BlobAnswer, at: number, end: number): Bytes & AsyncGenerator<Uint8Array> {
  const starts = answer.status === 206 ? (contentRange(answer)?.first ?? at) : 0;
  if (starts > at) {
    answer.discard();
    throw new ImagesError(
      'BAD_ANSWER',
      `${answer.url.host} sent bytes from ${starts} where those from ${at} were asked for`,
    );
  }
  let skip = at - starts;
  let left = end - at;
  for await (const chunk of answer.body) {
    if (skip === 0 && chunk.length <= left) {
      left -= chunk.length;
      yield chunk;
      continue;
    }
    const wanted = chunk.subarray(Math.min(skip, chunk.length)).subarray(0, left);
    skip = Math.max(0, skip - chunk.length);
    left -= wanted.length;
    if (wanted.length > 0) yield wanted;
    if (left === 0) return;
  }
}

/** Size of the whole blob, from an answer with all or a part of it. */
export function wholeSize(answer: Pick<HttpAnswer, 'status' | 'headers'>): number | undefined {
  if (answer.status === 206 || answer.status === 416) return contentRange(answer)?.size;
  const length = answer.headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

interface ContentRange {
  readonly first?: number;
  readonly size?: number;
}

/** Reads `bytes 0-99/1000`. A `*` stands for an unknown size, or for no range. */
function contentRange({ headers }: Pick<HttpAnswer, 'headers'>): ContentRange | undefined {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(?:(\d+)|\*)$/i.exec(headers['content-range'] ?? '');
  if (!match) return undefined;
  const [, first, size] = match;
  return { ...(first !== undefined && { first: Number(first) }), ...(size !== undefined && { size: Number(size) }) };
}
