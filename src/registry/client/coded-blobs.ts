// Blobs with a Content-Encoding. Some hosts really encode the blob; others mean that the layer itself is gzip. Only the digest, at the end, tells which it is.
import type { HttpAnswer } from '../../io/http/http.ts';
import { readWhole } from '../../io/http/http-whole.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { quote } from '../../io/text/quote.ts';
import { type Digest, digestAlgorithm, digestOf } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { BlobAnswer } from './blob-body.ts';
import { contentCodings, isPage, uncoded } from './content-encoding.ts';

export interface CodedBlobs {
  /** The blob, from an answer with all of it. */
  read(answer: HttpAnswer, blob: CodedBlob): CodedAnswer;
  /** Reports that the bytes were wrong. Returns whether the blob can be read in the other way, and will be next time. */
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

/** In bytes. Blobs up to this size are held in memory, so that both ways can be tried at once. */
const SMALL = 1024 * 1024;
const SMALL_WITHIN = 60_000;

export function codedBlobs(): CodedBlobs {
  /** For blobs whose first reading was wrong: whether to decode them. */
  const turned = new Map<Digest, boolean>();
  return {
    read(answer, blob) {
      const { url, headers } = answer;
      // A content-length equal to the blob's size means that it is not encoded. Answers that are encoded on the fly have no content-length.
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
    // Decoding reads ahead, so only `discard` ends a read that waits for more.
    if (!isWhole) answer.discard();
  }
}

/** The body came to its regular end with too few bytes, so resuming would not help. */
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
