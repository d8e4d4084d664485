// Byte streams, and functions that open them. All rooms use these types.

/** Chunks of any size. Reading to the end, or `return`, frees the resources behind the stream. */
export type Bytes = AsyncIterable<Uint8Array>;

/** Opens a content at offset `from`. It is called only when the bytes are needed, and again after a failure. */
export type OpenContent = (from: number) => Promise<Bytes>;

/** Options of every call that waits. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}
