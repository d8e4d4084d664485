// Blobs that come with a Content-Encoding: some hosts put one around the blob, others say gzip of a layer that is gzip. The digest alone tells which, and only at the end.
import type { HttpAnswer } from '../../io/http/http.ts';
import { readWhole } from '../../io/http/http-whole.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { quote } from '../../io/text/quote.ts';
import { type Digest, digestAlgorithm, digestOf } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { BlobAnswer } from './blob-body.ts';
import { contentCodings, isPage, uncoded } from './content-encoding.ts';

export interface CodedBlobs {
  /** The blob, of an answer that gives all of it. */
  read(answer: HttpAnswer, blob: CodedBlob): CodedAnswer;
  /** That reading gave wrong bytes. True where it can be read another way, and will be. */
  provedWrong(answer: CodedAnswer): boolean;
}

interface CodedBlob {
  readonly digest: Digest;
  readonly size: number;
}

export interface CodedAnswer extends BlobAnswer {
  readonly digest: Digest;
  readonly decodes: boolean;
}

/** What is as small is held, and so the right one of both is known at once. */
const SMALL = 1024 * 1024;
const SMALL_WITHIN = 60_000;

export function codedBlobs(): CodedBlobs {
  /** Whether a blob is to be decoded whose first reading was wrong. */
  const turned = new Map<Digest, boolean>();
  return {
    read(answer, blob) {
      const { url, headers } = answer;
      // A length that is the blob's own is that of the blob as it is; any other cannot be. What is coded on its way has none.
      const decodes = turned.get(blob.digest) ?? Number(headers['content-length'] ?? Number.NaN) !== blob.size;
      const body = blob.size <= SMALL ? smallBody(answer, blob) : largeBody(answer, blob, decodes);
      return { url, headers, status: 200, body, discard: answer.discard, digest: blob.digest, decodes };
    },
    provedWrong({ digest, decodes }) {
      if (turned.delete(digest)) return false;
      turned.set(digest, !decodes);
      return true;
    },
  };
}

async function* smallBody(answer: HttpAnswer, { digest, size }: CodedBlob): AsyncGenerator<Uint8Array> {
  const bytes = await readWhole(answer, { bytes: 2 * SMALL, within: SMALL_WITHIN });
  const wanted = (each: Uint8Array) => digestOf(each, digestAlgorithm(digest)) === digest;
  const plain = await uncoded(answer, bytes, { limit: size, wanted });
  if (plain.length < size) throw notWhole(answer, plain.length, { digest, size });
  yield plain;
}

async function* largeBody(answer: HttpAnswer, blob: CodedBlob, decodes: boolean): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of decodes ? decoded(answer) : answer.body) {
    size += chunk.length;
    yield chunk;
  }
  if (size < blob.size) throw notWhole(answer, size, blob);
}

async function* decoded(answer: HttpAnswer): Bytes & AsyncGenerator<Uint8Array> {
  const { decodeStream } = await import('../../io/http/content-coding.ts');
  let isWhole = false;
  try {
    yield* decodeStream(answer.body, contentCodings(answer));
    isWhole = true;
  } finally {
    // What is decoded is read ahead: nothing else ends what waits for more of it.
    if (!isWhole) answer.discard();
  }
}

/** It has an end, so it did not break off. */
function notWhole({ url, headers }: HttpAnswer, came: number, { digest, size }: CodedBlob): ImagesError {
  const { 'content-encoding': coding, 'content-type': type = '' } = headers;
  const what = isPage(type) ? ` of ${quote(type)}` : '';
  return new ImagesError(
    'BAD_ANSWER',
    `${url.host} sends ${came} bytes${what} with Content-Encoding ${coding}, expected ${size} [${digest}]`,
    {
      hint: isPage(type)
        ? 'Check the host: a proxy or a login page may stand in its place.'
        : 'A proxy in front of the registry changes what it sends: set it up to leave blobs alone.',
    },
  );
}
