// Reads a body as a whole, with limits on its size and on the total time.
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { HttpAnswer } from './http.ts';

export interface WholeLimits {
  readonly bytes: number;
  /** Milliseconds for the whole body. An idle limit would not be enough: a host could send a byte now and then for ever. */
  readonly within: number;
}

export interface PartOfBody {
  /** At most as many bytes as the limit. */
  readonly bytes: Uint8Array;
  /** Why bytes are missing; absent if the body is complete. */
  readonly failure?: unknown;
}

/** Reads a body within the limits. Problems with the body are returned as `failure` and not thrown. */
export async function readUpTo(answer: HttpAnswer, { bytes: limit, within }: WholeLimits): Promise<PartOfBody> {
  const { host } = answer.url;
  const timer = setTimeout(() => answer.abort(notInTime(host, within)), within);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > limit) return { bytes: Buffer.concat(chunks).subarray(0, limit), failure: tooLong(host, limit) };
    }
    return { bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) };
  } catch (failure) {
    return { bytes: Buffer.concat(chunks), failure };
  } finally {
    clearTimeout(timer);
  }
}

/** Reads the whole body. Errors: BAD_ANSWER (too long, see `isTooLong`), TIMEOUT, BROKEN_OFF; the signal's reason. */
export async function readWhole(answer: HttpAnswer, limits: WholeLimits): Promise<Uint8Array> {
  const { bytes, failure } = await readUpTo(answer, limits);
  if (failure !== undefined) throw failure;
  return bytes;
}

export function isTooLong(error: unknown): boolean {
  return isImagesError(error) && tooLongErrors.has(error);
}

const tooLongErrors = new WeakSet<ImagesError>();

function tooLong(host: string, limit: number): ImagesError {
  const error = new ImagesError('BAD_ANSWER', `${host} answers with more than [${limit}] bytes`);
  tooLongErrors.add(error);
  return error;
}

function notInTime(host: string, milliseconds: number): ImagesError {
  return new ImagesError('TIMEOUT', `${host} has not sent its whole answer within ${milliseconds / 1000} s`, {
    hint: 'Try again later, or check the network and http_proxy.',
  });
}
