// A stream of chunks of any size, read in portions of the reader's choice. What is whole in the chunk at hand is given at once, without a copy and without
// waiting; nothing else is held.

const NOTHING = Buffer.alloc(0);

/** State: the chunk at hand. Lifetime: from the first byte asked for to `close`. */
export class ByteSource {
  /** The chunk at hand, and where in it the next byte stands. Valid until the next call. */
  chunk: Buffer = NOTHING;
  at = 0;
  /** Of the stream's bytes, how many came before `chunk`. */
  #before = 0;
  /** What comes after `chunk`, where that was put together from two. */
  #later: Buffer | undefined;
  readonly #iterator: AsyncIterator<Uint8Array>;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** Where in the stream the next byte stands. */
  get position(): number {
    return this.#before + this.at;
  }

  /** Whether the next `length` bytes are whole in the chunk at hand. */
  has(length: number): boolean {
    return this.chunk.length - this.at >= length;
  }

  /** Makes the next `length` bytes (few: it copies) whole in the chunk at hand; false where the stream ends before: then the rest is at hand. */
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

  /** Exactly `length` bytes, in memory of their own; undefined where the stream ends before. */
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

  /** Some bytes of the chunk at hand, at most `limit`; undefined where it has none left. */
  now(limit: number): Buffer | undefined {
    const from = this.at;
    const end = Math.min(from + limit, this.chunk.length);
    if (end === from) return undefined;
    this.at = end;
    return this.chunk.subarray(from, end);
  }

  /** Some bytes, at least 1 and at most `limit`, without copying; undefined at the stream's end. */
  async some(limit: number): Promise<Buffer | undefined> {
    while (this.at === this.chunk.length) if (!(await this.#next())) return undefined;
    return this.now(limit);
  }

  /** Passes over `length` bytes; how many of them the stream lacks. */
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

  /** Ends the stream. */
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
