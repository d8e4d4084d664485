// Reading blobs over HTTP: what breaks off goes on where it was, what comes from byte 0 verifies itself.
import { type Backoff, backoffDelay, sleep } from '../../io/backoff.ts';
import type { HttpAnswer } from '../../io/http.ts';
import { isGivenUp } from '../../io/retry.ts';
import { verified } from '../../io/verify.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { BlobOptions, Bytes, ReadOptions, RegistryReader } from '../contract.ts';
import { badAnswer, readText } from './answer-errors.ts';
import type { EndpointHttp, EndpointRequest } from './endpoint-http.ts';
import { repositoryPath } from './paths.ts';
import { repositoryScope } from './scopes.ts';
import type { RetryEvent } from './settings.ts';

export interface BlobReader extends Pick<RegistryReader, 'getBlob' | 'statBlob'> {
  /** Whether its first byte comes: asked once. Errors: those of the connection. */
  canBeRead(repository: string, digest: Digest, signal: AbortSignal): Promise<boolean>;
}

export interface BlobReaderSettings {
  readonly backoff: Backoff;
  readonly onRetry: ((event: RetryEvent) => void) | undefined;
}

const BLOB_TYPE = 'application/octet-stream';

/** Fewer bytes than these between two failures are no progress: a host that gives a few each time must not be asked for ever. */
const PROGRESS = 64 * 1024;

/** A host that falls silent is asked once more: each silence takes a minute. */
const SILENCES = 2;

export function blobReader(http: EndpointHttp, settings: BlobReaderSettings): BlobReader {
  const stat = async (repository: string, digest: Digest, options?: ReadOptions): Promise<number | undefined> => {
    const request = blobRequest(http.host, 'HEAD', repository, { digest, ...options });
    const answer = await http.send({ ...request, expected: [200, 404] });
    answer.discard();
    if (answer.status === 404) return undefined;
    const size = Number(answer.headers['content-length'] ?? Number.NaN);
    if (Number.isSafeInteger(size)) return size;
    throw new ImagesError('BAD_ANSWER', `${answer.url.host} does not say how long ${request.asked.what} is`);
  };

  return {
    async statBlob(repository, digest, options) {
      const size = await stat(repository, digest, options);
      return size === undefined ? undefined : { mediaType: BLOB_TYPE, digest, size };
    },
    async canBeRead(repository, digest, signal) {
      const request = blobRequest(http.host, 'GET', repository, { digest, signal });
      const headers = { ...request.headers, ...rangeHeader(0, 1) };
      const { body } = await http.send({ ...request, headers, once: true });
      for await (const _ of body) return true;
      return false;
    },
    async getBlob(repository, digest, options = {}) {
      const open = async (from: number) => {
        const request = blobRequest(http.host, 'GET', repository, { digest, ...options });
        const headers = { ...request.headers, ...rangeHeader(from, options.to) };
        const answer = await http.send({ ...request, headers });
        if (isWebPage(answer, options.size)) throw badAnswer(answer, request.asked, await readText(answer, 1024));
        return answer;
      };
      const from = options.from ?? 0;
      const first = await open(from);
      const size = wholeSize(first) ?? options.size ?? (await stat(repository, digest, options));
      if (size === undefined || (from > 0 && from >= size)) {
        first.discard();
        if (size === undefined)
          throw new ImagesError('BLOB_UNKNOWN', `there is no blob ${http.host}/${repository}@${digest}`);
        throw new ImagesError('RANGE_INVALID', `blob has ${size} bytes, asked for from ${from} [${digest}]`);
      }
      const end = Math.min(options.to ?? size, size);
      const body = resumed({ first, open, from, end }, { what: `blob ${digest}`, http, settings, options });
      const whole = from === 0 && end === size;
      return {
        descriptor: { mediaType: BLOB_TYPE, digest, size },
        body: whole ? verified(body, { digest, size, sender: first.url.host }) : body,
      };
    },
  };
}

interface WhichBlob extends BlobOptions {
  readonly digest: Digest;
}

function blobRequest(
  host: string,
  method: 'GET' | 'HEAD',
  repository: string,
  { digest, host: ns, signal }: WhichBlob,
): EndpointRequest {
  return {
    method,
    to: repositoryPath(repository, `blobs/${digest}`, { ns }),
    headers: { accept: '*/*' },
    repository,
    scopes: [repositoryScope(repository, 'pull')],
    asked: { what: `blob ${host}/${repository}@${digest}`, unknown: 'BLOB_UNKNOWN' },
    expected: [200, 206],
    signal,
  };
}

function rangeHeader(from: number, to: number | undefined): Readonly<Record<string, string>> {
  if (from === 0 && to === undefined) return {};
  return { range: `bytes=${from}-${to === undefined ? '' : to - 1}` };
}

/** A login page, say. A blob may be HTML too; then the answer is as long as the blob. */
function isWebPage(answer: HttpAnswer, size: number | undefined): boolean {
  const { 'content-type': type = '', 'content-length': length } = answer.headers;
  if (answer.status !== 200 || !/^text\/html\b/i.test(type)) return false;
  return length === undefined || (size !== undefined && Number(length) !== size);
}

/** The blob's size from an answer that gives all or a part of it. */
function wholeSize(answer: HttpAnswer): number | undefined {
  const text =
    answer.status === 206
      ? /^bytes \d+-\d+\/(\d+)$/.exec(answer.headers['content-range'] ?? '')?.[1]
      : answer.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

interface Span {
  readonly first: HttpAnswer;
  readonly open: (from: number) => Promise<HttpAnswer>;
  readonly from: number;
  readonly end: number;
}

interface Setting {
  readonly what: string;
  readonly http: EndpointHttp;
  readonly settings: BlobReaderSettings;
  readonly options: BlobOptions;
}

async function* resumed(
  { first, open, from, end }: Span,
  { what, http, settings, options }: Setting,
): AsyncGenerator<Uint8Array> {
  const { backoff, onRetry } = settings;
  let at = from;
  let answer: HttpAnswer | undefined = first;
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
      onRetry?.({ host: http.host, what, after, why: error.message });
      await sleep(after, options.signal);
      answer = undefined;
    }
  }
}

/** The bytes from `at` to `end`, of an answer that may hold more: hosts may ignore Range (RFC 9110, section 14.2). */
async function* clipped(answer: HttpAnswer, at: number, end: number): Bytes & AsyncGenerator<Uint8Array> {
  const starts =
    answer.status === 206 ? Number(/^bytes (\d+)-/.exec(answer.headers['content-range'] ?? '')?.[1] ?? at) : 0;
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
