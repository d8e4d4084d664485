// Bits out of bytes, the highest of a byte first.
import type { Compression } from './compression.ts';
import { breaksOff } from './compression-invalid.ts';

/** State: where the next bit stands. Lifetime: a stream's. */
export class BitReader {
  #bytes: Uint8Array = new Uint8Array();
  readonly #compression: Compression;
  /** The next byte that is not among the bits at hand. */
  #at = 0;
  #bits = 0;
  #count = 0;

  constructor(compression: Compression) {
    this.#compression = compression;
  }

  /** More bytes, after what is left. */
  refill(more: Uint8Array): void {
    const beyond = Math.max(this.#at - this.#bytes.length, 0);
    this.#bits >>>= beyond * 8;
    this.#count -= beyond * 8;
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), more]);
    this.#at = 0;
  }

  /** At most 24 bits, without going on; zeros where there are no more. */
  peek(count: number): number {
    while (this.#count < count) {
      this.#bits = (this.#bits << 8) | (this.#bytes[this.#at++] ?? 0);
      this.#count += 8;
    }
    return (this.#bits >>> (this.#count - count)) & ((1 << count) - 1);
  }

  /** Errors: COMPRESSION_INVALID where there were no more. */
  pass(count: number): void {
    this.#count -= count;
    if (this.#at - (this.#count >> 3) > this.#bytes.length) throw breaksOff(this.#compression);
  }

  /** At most 24 bits. Errors: COMPRESSION_INVALID. */
  read(count: number): number {
    const value = this.peek(count);
    this.pass(count);
    return value;
  }

  /** Goes on to a whole byte. */
  align(): void {
    this.#count -= this.#count & 7;
  }

  /** Bytes of which nothing has been read. */
  left(): number {
    return this.#bytes.length - this.#at + (this.#count >> 3);
  }
}
