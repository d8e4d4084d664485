// CRC-64 of ISO 3309: the polynomial x^64 + x^4 + x^3 + x + 1, reflected, register and result inverted. What tar-split keeps of a file's content. Pure.
import { type Register, wideCrc } from './crc64-module.ts';

export interface Crc64 {
  update(bytes: Uint8Array): void;
  /** Of all bytes so far: 8 bytes, big-endian. */
  digest(): Uint8Array;
}

/** From so many bytes on it is worth copying them into the module's memory. */
const WORTH_IT = 1024;

/**
 * No tables: the polynomial is so sparse at its low end that what 32 bits of input do to the register is three shifts of them,
 * none of which reaches the 32 bits that come next. Much at once is taken in by crc64-module.ts.
 */
export function crc64(): Crc64 {
  const register: Register = { low: -1, high: -1 };
  return {
    update(bytes) {
      const wide = bytes.byteLength < WORTH_IT ? 0 : bytes.byteLength - (bytes.byteLength % 8);
      if (wide > 0) wideCrc()(register, bytes.subarray(0, wide));
      takeIn(register, bytes, wide);
    },
    digest() {
      const bytes = new Uint8Array(8);
      const view = new DataView(bytes.buffer);
      view.setInt32(0, ~register.high);
      view.setInt32(4, ~register.low);
      return bytes;
    },
  };
}

function takeIn(register: Register, bytes: Uint8Array, from: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.byteLength;
  let { low, high } = register;
  let at = from;
  for (; at + 4 <= size; at += 4) {
    const word = low ^ view.getInt32(at, true);
    low = high ^ (word << 31) ^ (word << 29) ^ (word << 28);
    high = word ^ (word >>> 1) ^ (word >>> 3) ^ (word >>> 4);
  }
  for (; at < size; at++) {
    const byte = (low ^ view.getUint8(at)) & 0xff;
    low = (low >>> 8) | (high << 24);
    high = (high >>> 8) ^ (byte << 24) ^ (byte << 23) ^ (byte << 21) ^ (byte << 20);
  }
  register.low = low;
  register.high = high;
}
