// Reads blobs over HTTP. A body that starts at byte 0 verifies itself.
import type { Backoff } from '../../io/concurrency/backoff.ts';
import type { HttpAnswer } from '../../io/http/http.ts';
import { quote } from '../../io/text/quote.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { BlobContent, BlobOptions, RegistryReader } from '../contract.ts';
import { type Asked, badAnswer, readText } from './answer-errors.ts';
import { type BlobAnswer, resumed, wholeSize } from './blob-body.ts';
import { blobRequest, rangeHeader } from './blob-requests.ts';
import { blobSizes } from './blob-sizes.ts';
import { type CodedAnswer, codedBlobs } from './coded-blobs.ts';
import { contentCodings, isPage } from './content-encoding.ts';
import type { EndpointHttp } from './endpoint-http.ts';
import { heldBack } from './held-back.ts';
import { type OpenedBlob, selfVerifying } from './self-verifying.ts';
import type { RetryEvent } from './settings.ts';

export interface BlobReader extends Pick<RegistryReader, 'getBlob' | 'statBlob'> {
  /** As `getBlob`, but nothing verifies the body. */
  openBlob(repository: string, digest: Digest, options?: BlobOptions): Promise<OpenedBlob>;
  /** Whether the blob can be read, tried with its first byte, without retries. Errors: those of the connection. */
  canBeRead(repository: string, digest: Digest, signal: AbortSignal): Promise<boolean>;
}

export interface BlobReaderSettings {
  readonly backoff: Backoff;
  readonly onRetry: ((event: RetryEvent) => void) | undefined;
  readonly temporaryDirectory: string;
}

const BLOB_TYPE = 'application/octet-stream';

export function blobReader(http: EndpointHttp, settings: BlobReaderSettings): BlobReader {
  const coded = codedBlobs();
  const sizeOf = blobSizes(http);

  const openBlob = async (repository: string, digest: Digest, options: BlobOptions = {}): Promise<OpenedBlob> => {
    const request = blobRequest(http.host, 'GET', repository, { digest, ...options });
    const ask = (from: number, to: number | undefined) =>
      http.send({ ...request, headers: { ...request.headers, ...rangeHeader(from, to) } });
    const start = options.from ?? 0;
    let lastCoded: CodedAnswer | undefined;
    const open = async (from: number): Promise<BlobAnswer> => {
      const answer = await ask(from, options.to).catch((error: unknown) => {
        // If only the whole blob can be had, the transfer starts again at 0, and what has been delivered is skipped.
        if (from > start && isImagesError(error, 'RANGE_INVALID')) return ask(0, undefined);
        throw error;
      });
      if (isNoBlob(answer, options.size)) throw badAnswer(answer, request.asked, await readText(answer, 1024));
      if (contentCodings(answer).length === 0) return answer;
      if (options.size === undefined) throw saysNoLength(answer, request.asked);
      lastCoded = coded.read(await wholeOf(answer, ask), { digest, size: options.size });
      return lastCoded;
    };
    const first = await open(start);
    const size =
      (lastCoded ? options.size : wholeSize(first)) ?? options.size ?? (await sizeOf(repository, digest, options));
    if (size === undefined) throw saysNoLength(first, request.asked);
    if (start > 0 && start >= size) {
      first.discard();
      throw new ImagesError('RANGE_INVALID', `blob has ${size} bytes, asked for from ${start} [${digest}]`);
    }
    const end = Math.min(options.to ?? size, size);
    const { signal } = options;
    const body = resumed(
      { first, open, from: start, end },
      { ...settings, what: `blob ${digest}`, host: http.host, signal },
    );
    const { 'content-encoding': coding, 'content-type': type = '' } = first.headers;
    const oddities = [isPage(type) && type, lastCoded && `with Content-Encoding ${coding}`].filter(Boolean).join(', ');
    return {
      descriptor: { mediaType: BLOB_TYPE, digest, size },
      body,
      sender: `${first.url.host}${oddities && ` (${quote(oddities)})`}`,
      ...(lastCoded && { provedWrong: () => lastCoded !== undefined && coded.provedWrong(lastCoded) }),
    };
  };

  const getBlob = async (repository: string, digest: Digest, options: BlobOptions = {}): Promise<BlobContent> => {
    const opened = await openBlob(repository, digest, options);
    const content = selfVerifying(opened, options);
    if (!opened.provedWrong) return content;
    return heldBack(content, options, {
      again: () => getBlob(repository, digest, options),
      temporaryDirectory: settings.temporaryDirectory,
    });
  };

  return {
    openBlob,
    async statBlob(repository, digest, options) {
      const size = await sizeOf(repository, digest, options);
      return size === undefined ? undefined : { mediaType: BLOB_TYPE, digest, size };
    },
    async canBeRead(repository, digest, signal) {
      const request = blobRequest(http.host, 'GET', repository, { digest, signal });
      const headers = { ...request.headers, ...rangeHeader(0, 1) };
      const { body } = await http.send({ ...request, headers, once: true });
      for await (const _ of body) return true;
      return false;
    },
    getBlob,
  };
}

/** A part of a coded answer cannot be decoded without what comes before it, so the whole is read. */
async function wholeOf(
  answer: HttpAnswer,
  ask: (from: number, to: undefined) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  if (answer.status !== 206) return answer;
  answer.discard();
  return ask(0, undefined);
}

function saysNoLength(answer: BlobAnswer, { what }: Asked): ImagesError {
  answer.discard();
  return new ImagesError('BAD_ANSWER', `${answer.url.host} does not say how long ${what} is`);
}

/** Whether the answer is a login page, or a few words of a proxy. A blob can be text, too, but then the length of the answer is the blob's. */
function isNoBlob(answer: HttpAnswer, size: number | undefined): boolean {
  const { 'content-type': type = '', 'content-length': length } = answer.headers;
  if (answer.status === 206 || contentCodings(answer).length > 0) return false;
  if (length === undefined) return isPage(type);
  // Some registries send no type for blobs, but none says that they are text.
  return size !== undefined && Number(length) !== size && /^(?:$|text\/|application\/xhtml\b)/i.test(type);
}
