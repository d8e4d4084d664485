// A blob's bytes as they come over HTTP: what breaks off goes on where it was, and of an answer that holds more than was asked for, the wanted part.
import { type Backoff, backoffDelay, sleep } from '../../io/concurrency/backoff.ts';
import { isGivenUp } from '../../io/concurrency/retry.ts';
import type { HttpAnswer } from '../../io/http/http.ts';
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
  /** For messages: `blob sha256:…`. */
  readonly what: string;
  readonly host: string;
  readonly backoff: Backoff;
  readonly onRetry: ((event: RetryEvent) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Fewer bytes than these between two failures are no progress: a host that gives a few each time must not be asked for ever. */
const PROGRESS = 64 * 1024;

/** A host that falls silent is asked once more: each silence takes a minute. */
const SILENCES = 2;

/** Errors: BROKEN_OFF and TIMEOUT where it does not get on; BAD_ANSWER; those of `open`. */
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
      if (!isImagesError(error, 'BROKEN_OFF', 'TIMEOUT') || isGivenUp(error)) throw error;
      if (at - since >= PROGRESS) failures = 1;
      since = at;
      if (failures >= (error.code === 'TIMEOUT' ? SILENCES : backoff.attempts)) throw error;
      const after = backoffDelay(backoff, failures);
      onRetry?.({ host, what, after, why: error.message });
      await sleep(after, signal);
      answer = undefined;
    }
  }
}

/** The bytes from `at` to `end`, of an answer that may hold more: hosts may ignore Range (RFC 9110, section 14.2). */
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

/** The size of all of it, from an answer that gives all or a part of it. */
export function wholeSize(answer: Pick<HttpAnswer, 'status' | 'headers'>): number | undefined {
  if (answer.status === 206 || answer.status === 416) return contentRange(answer)?.size;
  const length = answer.headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

interface ContentRange {
  readonly first?: number;
  readonly size?: number;
}

/** `bytes 0-99/1000`; `*` stands for what is not known, or for no range at all. */
function contentRange({ headers }: Pick<HttpAnswer, 'headers'>): ContentRange | undefined {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(?:(\d+)|\*)$/i.exec(headers['content-range'] ?? '');
  if (!match) return undefined;
  const [, first, size] = match;
  return { ...(first !== undefined && { first: Number(first) }), ...(size !== undefined && { size: Number(size) }) };
}
