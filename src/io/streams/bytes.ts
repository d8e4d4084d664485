// Byte streams, and functions that open them. All rooms use these types.

/** Chunks of any size. Reading to the end, or `return`, frees the resources behind the stream. */
export type Bytes = AsyncIterable<Uint8Array>;

/**
 * Bytes that can also be read into memory of the consumer, which may use the same memory again: chunks have memory of their own, and so make garbage as fast
 * as bytes come. A consumer does one or the other, and closes the stream with `return` either way.
 */
export interface FillingBytes extends Bytes {
  /** Fills the buffer, or as much of it as there are bytes left. Resolves to their number; 0 at the end. One call at a time. */
  fill(buffer: Uint8Array): Promise<number>;
}

export function canFill(bytes: Bytes): bytes is FillingBytes {
  return 'fill' in bytes;
}

/** Bytes that are in memory anyway. Nobody writes to this memory. */
export interface WholeBytes extends Bytes {
  readonly whole: Uint8Array;
}

/** All bytes of a stream that is in memory anyway; `undefined` for others. */
export function wholeOf(bytes: Bytes): Uint8Array | undefined {
  return 'whole' in bytes ? (bytes as WholeBytes).whole : undefined;
}

/** Opens a content at offset `from`. It is called only when the bytes are needed, and again after a failure. */
export type OpenContent = (from: number) => Promise<Bytes>;

/** Options of every call that waits. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}
