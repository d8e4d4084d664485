// What flows between the rooms: bytes as they come, and the way to have them opened.

/** Chunks of any size. Who reads to the end, or returns, frees what is behind it. */
export type Bytes = AsyncIterable<Uint8Array>;

/** Opens a content at byte `from`. It is called only when the bytes are needed, and again after a failure. */
export type OpenContent = (from: number) => Promise<Bytes>;

/** What every call that waits takes. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}
