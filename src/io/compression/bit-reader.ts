// Reads bits from bytes, the most significant bit of each byte first.
import type { Compression } from './compression.ts';
import { breaksOff } from './compression-invalid.ts';

/** State: the position of the next bit. Lifetime: one stream. */
export class BitReader {
  #bytes: Uint8Array = new Uint8Array();
  readonly #compression: Compression;
  /** Index of the next byte that has not been moved into the bit buffer. */
  #at = 0;
  #bits = 0;
  #count = 0;

  constructor(compression: Compression) {
    this.#compression = compression;
  }

  /** Appends bytes to those that have not been read yet. */
  refill(more: Uint8Array): void {
    const beyond = Math.max(this.#at - this.#bytes.length, 0);
    this.#bits >>>= beyond * 8;
    this.#count -= beyond * 8;
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), more]);
    this.#at = 0;
  }

  /** The next `count` bits (at most 24), without consuming them; missing bits at the end are zeros. */
  peek(count: number): number {
    while (this.#count < count) {
      this.#bits = (this.#bits << 8) | (this.#bytes[this.#at++] ?? 0);
      this.#count += 8;
    }
    return (this.#bits >>> (this.#count - count)) & ((1 << count) - 1);
  }

  /** Consumes `count` bits. Errors: COMPRESSION_INVALID if there are fewer. */
  pass(count: number): void {
    this.#count -= count;
    if (this.#at - (this.#count >> 3) > this.#bytes.length) throw breaksOff(this.#compression);
  }

  /** Reads `count` bits (at most 24). Errors: COMPRESSION_INVALID. */
  read(count: number): number {
    const value = this.peek(count);
    this.pass(count);
    return value;
  }

  /** Skips to the next byte boundary. */
  align(): void {
    this.#count -= this.#count & 7;
  }

  /** Number of bytes that have not been touched at all. */
  left(): number {
    return this.#bytes.length - this.#at + (this.#count >> 3);
  }
}
