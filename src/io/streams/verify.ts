// Streams that verify themselves: digest and size, while the bytes pass. Relies on oci/digest. Nothing is hashed twice:
// what a stream already verifies is remembered, so that a reader further on need not hash again.
import type { Hash } from 'node:crypto';
import { type Digest, digestAlgorithm, digester } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Bytes } from './bytes.ts';

export interface Expected {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** Who sent it, for messages: a host. */
  readonly sender?: string;
}

/** Where a stream starts that is not a content's beginning: the hash of what came before, and how many bytes that were. */
export interface Start {
  readonly hash: Hash;
  readonly size: number;
}

const verifiedStreams = new WeakMap<object, Expected>();
const brokenOff = new WeakSet<object>();

/**
 * Passes the chunks through and throws before its end where they are not what is expected: SIZE_INVALID as soon as there are too many,
 * or at the end of too few (see `brokeOff`), DIGEST_INVALID. With `start`, the stream is the rest of a content whose beginning is hashed already.
 */
export function verified(body: Bytes, expected: Expected, start?: Start): Bytes {
  if (start === undefined && verifies(body, expected)) return body;
  const stream = closing(body, verify(body, expected, start));
  if (start === undefined) verifiedStreams.set(stream, expected);
  return stream;
}

/** Says of a stream that whoever made it has compared these very bytes with their digest. */
export function vouchedFor(body: Bytes, expected: Expected): Bytes {
  verifiedStreams.set(body, expected);
  return body;
}

/** True for a stream that throws before its end unless it delivers exactly this content, from its first byte. */
export function verifies(body: Bytes, expected: Expected): boolean {
  const known = verifiedStreams.get(body);
  return known !== undefined && known.digest === expected.digest && known.size === expected.size;
}

/**
 * Shows each chunk to `see` (counters, progress) on its way, and the body's failure to `failed`: what that throws is thrown instead. A stream
 * that verifies itself stays one.
 */
export function tapped(body: Bytes, see: (chunk: Uint8Array) => void, failed?: OnFailure): Bytes {
  const stream = closing(body, tap(body, see, failed));
  const known = verifiedStreams.get(body);
  if (known) verifiedStreams.set(stream, known);
  return stream;
}

type OnFailure = (error: unknown) => void | Promise<void>;

/** True for the SIZE_INVALID of a stream that ended early: what came is good so far, and the rest can be asked for. */
export function brokeOff(error: unknown): boolean {
  return typeof error === 'object' && error !== null && brokenOff.has(error);
}

/** A generator that is returned before it was begun closes nothing: here the body is closed then. */
function closing(body: Bytes, generator: AsyncGenerator<Uint8Array>): Bytes {
  let begun = false;
  const stream: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => stream,
    next: () => {
      begun = true;
      return generator.next();
    },
    return: async () => {
      if (!begun) await body[Symbol.asyncIterator]().return?.();
      return generator.return(undefined);
    },
  };
  return stream;
}

async function* verify(body: Bytes, expected: Expected, start: Start | undefined): AsyncGenerator<Uint8Array> {
  const hash = start?.hash ?? digester(digestAlgorithm(expected.digest));
  let size = start?.size ?? 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > expected.size) {
      throw new ImagesError('SIZE_INVALID', `more than ${expected.size} bytes came [${expected.digest}]`);
    }
    hash.update(chunk);
    yield chunk;
  }
  if (size < expected.size) {
    const error = new ImagesError(
      'SIZE_INVALID',
      `it broke off after ${size} of ${expected.size} bytes [${expected.digest}]`,
      { hint: 'Run it again: it goes on from there.' },
    );
    brokenOff.add(error);
    throw error;
  }
  const digest = `${digestAlgorithm(expected.digest)}:${hash.digest('hex')}`;
  if (digest !== expected.digest) {
    const who = expected.sender === undefined ? '' : `${expected.sender} sent another content: `;
    throw new ImagesError('DIGEST_INVALID', `${who}digest is ${digest}, expected ${expected.digest}`, {
      hint: 'It is damaged where it comes from, or on its way: run it again; if it stays so, put the image there again.',
    });
  }
}

async function* tap(
  body: Bytes,
  see: (chunk: Uint8Array) => void,
  failed: OnFailure | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) {
      see(chunk);
      yield chunk;
    }
  } catch (error) {
    await failed?.(error);
    throw error;
  }
}
