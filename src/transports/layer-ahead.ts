// A layer that is read and decompressed ahead of its turn, while the one before it is written.
import { type Compression, peekCompression } from '../io/compression/compression.ts';
import { decompressed } from '../io/compression/decompress.ts';
import type { Bytes, CallOptions } from '../io/streams/bytes.ts';
import type { Layer } from '../rootfs/contract.ts';

/** The archive of a layer that is read ahead of its turn. */
export interface LayerAhead extends AsyncDisposable {
  readonly archive: Bytes;
  compression(): Compression | undefined;
}

export interface ReadAheadOptions extends CallOptions {
  /** Gets the whole blob, still compressed and verified, by the end of the archive. */
  readonly onBlob?: (chunk: Uint8Array) => Promise<void>;
}

/** Begins to read and to decompress. Disposing stops it, at any time. */
export function readAhead(layer: Layer, { onBlob, ...options }: ReadAheadOptions): LayerAhead {
  let compression: Compression | undefined;
  async function* archive(): AsyncGenerator<Uint8Array> {
    // The decompressed archive is verified by its diffID, so the blob itself need not be hashed, unless it is kept.
    const unverified = layer.diffId !== undefined && !onBlob;
    const blob = await layer.open({ ...options, unverified });
    if (!onBlob) {
      const peeked = await peekCompression(blob);
      compression = peeked.compression;
      yield* decompressed(peeked.body);
      return;
    }
    const whole = tappedWhole(blob, onBlob);
    try {
      const peeked = await peekCompression(whole);
      compression = peeked.compression;
      yield* decompressed(peeked.body);
      await whole.readRest();
    } finally {
      await whole.close();
    }
  }
  const stream = archive();
  let begun: Promise<IteratorResult<Uint8Array>> | undefined = stream.next();
  // The reader gets the failure.
  begun.catch(() => {});
  const iterator: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => iterator,
    next() {
      const next = begun ?? stream.next();
      begun = undefined;
      return next;
    },
    return: () => stream.return(undefined),
  };
  return {
    archive: iterator,
    compression: () => compression,
    async [Symbol.asyncDispose]() {
      await stream.return(undefined).catch(() => {});
    },
  };
}

interface TappedWhole extends AsyncIterable<Uint8Array> {
  /** What follows the compressed data. */
  readRest(): Promise<void>;
  close(): Promise<void>;
}

/** Passes a stream on. A reader that stops early does not end it. */
function tappedWhole(bytes: Bytes, tap: (chunk: Uint8Array) => Promise<void>): TappedWhole {
  const source = bytes[Symbol.asyncIterator]();
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const step = await source.next();
    if (!step.done) await tap(step.value);
    return step;
  };
  return {
    [Symbol.asyncIterator]: () => ({ next, return: async () => ({ done: true, value: undefined }) }),
    async readRest() {
      while (!(await next()).done);
    },
    async close() {
      await source.return?.();
    },
  };
}
