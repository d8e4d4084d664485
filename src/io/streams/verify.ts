// Streams that verify their digest and size while they are read. Relies on oci/digest. It is remembered which streams do so, so that
// a later stage need not hash the same bytes again.
import type { Hash } from 'node:crypto';
import { type Digest, digestAlgorithm, digester } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { Bytes } from './bytes.ts';

export interface Expected {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** The host that sent the bytes, for error messages. */
  readonly sender?: string;
}

/** For a stream that starts in the middle of a content: the hash state and the number of the bytes before it. */
export interface Start {
  readonly hash: Hash;
  readonly size: number;
}

const verifiedStreams = new WeakMap<object, Expected>();
const brokenOff = new WeakSet<object>();

/**
 * Passes the chunks on, and throws before its end if they are not what is expected: SIZE_INVALID (immediately if there are too many bytes; at the end if
 * there are too few, see `brokeOff`) or DIGEST_INVALID. With `start`, the stream is the rest of a content whose beginning has been hashed.
 */
export function verified(body: Bytes, expected: Expected, start?: Start): Bytes {
  if (start === undefined && verifies(body, expected)) return body;
  const stream = closing(body, verify(body, expected, start));
  if (start === undefined) verifiedStreams.set(stream, expected);
  return stream;
}

/** Marks a stream as verified, because its maker has compared these very bytes with the digest. */
export function vouchedFor(body: Bytes, expected: Expected): Bytes {
  verifiedStreams.set(body, expected);
  return body;
}

/** Whether the stream throws before its end unless it delivers exactly this content, from its first byte on. */
export function verifies(body: Bytes, expected: Expected): boolean {
  const known = verifiedStreams.get(body);
  return known !== undefined && known.digest === expected.digest && known.size === expected.size;
}

/**
 * Calls `see` with each chunk (for counters and progress), and `failed` with the body's error, which can throw another one instead. A stream that verifies
 * itself still counts as one.
 */
export function tapped(body: Bytes, see: (chunk: Uint8Array) => void, failed?: OnFailure): Bytes {
  const stream = closing(body, tap(body, see, failed));
  const known = verifiedStreams.get(body);
  if (known) verifiedStreams.set(stream, known);
  return stream;
}

type OnFailure = (error: unknown) => void | Promise<void>;

/** Whether it is the SIZE_INVALID of a truncated stream: the bytes so far can be kept, and the rest requested. */
export function brokeOff(error: unknown): boolean {
  return typeof error === 'object' && error !== null && brokenOff.has(error);
}

/** A generator that is closed before its first `next` runs no `finally`, so this closes the body in that case. */
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
