// Several ranges of a blob in one body (RFC 9110, section 14.6, "multipart/byteranges"), as partial pulls of zstd:chunked and eStargz request them.
import { randomBytes } from 'node:crypto';
import type { Bytes } from '../io/streams/bytes.ts';
import type { BytePart } from './range.ts';

export interface Multipart {
  readonly contentType: string;
  /** Length of the whole body in bytes. */
  readonly length: number;
  readonly body: Bytes;
}

export interface PartsOfBlob {
  readonly parts: readonly BytePart[];
  /** Size of the whole blob. */
  readonly size: number;
  /** Opens the bytes of one part. Called for one part after the other. */
  open(part: BytePart): Promise<Bytes>;
}

/** Builds the body. Each part has a header with the media type that it would have if sent alone. */
export function multipartOf({ parts, size, open }: PartsOfBlob, mediaType: string): Multipart {
  // Random, so that no blob can contain it.
  const boundary = randomBytes(16).toString('hex');
  const headOf = ({ from, to }: BytePart, at: number) =>
    Buffer.from(
      `${at > 0 ? '\r\n' : ''}--${boundary}\r\nContent-Type: ${mediaType}\r\nContent-Range: bytes ${from}-${to - 1}/${size}\r\n\r\n`,
    );
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  const length = parts.reduce((sum, part, at) => sum + headOf(part, at).length + part.to - part.from, end.length);
  const body = async function* (): Bytes {
    for (const [at, part] of parts.entries()) {
      yield headOf(part, at);
      yield* await open(part);
    }
    yield end;
  };
  return { contentType: `multipart/byteranges; boundary=${boundary}`, length, body: body() };
}
