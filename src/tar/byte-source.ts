// Reads a stream of chunks in portions that the caller chooses. Bytes that are complete in the current chunk are returned at once, without waiting and
// without a copy; nothing else is kept in memory.

const NOTHING = Buffer.alloc(0);

/** State: the current chunk. Lifetime: from the first read to `close`. */
export class ByteSource {
  /** The current chunk, and the index of the next byte in it. Valid until the next call. */
  chunk: Buffer = NOTHING;
  at = 0;
  /** Bytes of the stream before `chunk`. */
  #before = 0;
  /** The chunk after the current one, if the current one was joined from two. */
  #later: Buffer | undefined;
  readonly #iterator: AsyncIterator<Uint8Array>;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** Offset of the next byte in the stream. */
  get position(): number {
    return this.#before + this.at;
  }

  /** Whether the next `length` bytes are complete in the current chunk. */
  has(length: number): boolean {
    return this.chunk.length - this.at >= length;
  }

  /** Makes the next `length` bytes (few, because it copies) complete in the current chunk. Returns false if the stream ends before; the rest is then in the chunk. */
  async gather(length: number): Promise<boolean> {
    while (!this.has(length)) {
      const rest = this.chunk.subarray(this.at);
      const next = await this.#following();
      this.#before += this.at;
      this.at = 0;
      if (!next) {
        this.chunk = rest;
        return false;
      }
      if (rest.length === 0) this.chunk = next;
      else {
        const needed = length - rest.length;
        this.chunk = Buffer.concat([rest, next.subarray(0, needed)]);
        if (next.length > needed) this.#later = next.subarray(needed);
      }
    }
    return true;
  }

  /** Exactly `length` bytes, copied; `undefined` if the stream ends before. */
  async take(length: number): Promise<Buffer | undefined> {
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let filled = 0; filled < length; ) {
      const portion = this.now(length - filled) ?? (await this.some(length - filled));
      if (!portion) return undefined;
      bytes.set(portion, filled);
      filled += portion.length;
    }
    return bytes;
  }

  /** Bytes of the current chunk, at most `limit`, without waiting; `undefined` if it is used up. */
  now(limit: number): Buffer | undefined {
    const from = this.at;
    const end = Math.min(from + limit, this.chunk.length);
    if (end === from) return undefined;
    this.at = end;
    return this.chunk.subarray(from, end);
  }

  /** Some bytes, at least 1 and at most `limit`, without copying; `undefined` at the end of the stream. */
  async some(limit: number): Promise<Buffer | undefined> {
    while (this.at === this.chunk.length) if (!(await this.#next())) return undefined;
    return this.now(limit);
  }

  /** Skips `length` bytes; returns how many of them are missing at the end of the stream. */
  async skip(length: number): Promise<number> {
    let left = length;
    while (!this.has(left)) {
      left -= this.chunk.length - this.at;
      this.at = this.chunk.length;
      if (!(await this.#next())) return left;
    }
    this.at += left;
    return 0;
  }

  /** Closes the stream. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  async #next(): Promise<boolean> {
    const next = await this.#following();
    this.#before += this.chunk.length;
    this.chunk = next ?? NOTHING;
    this.at = 0;
    return next !== undefined;
  }

  async #following(): Promise<Buffer | undefined> {
    const later = this.#later;
    this.#later = undefined;
    if (later) return later;
    const { done, value } = await this.#iterator.next();
    if (done) return undefined;
    return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length);
  }
}
