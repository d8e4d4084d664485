// CRC-64 of ISO 3309: the polynomial x^64 + x^4 + x^3 + x + 1, reflected, register and result inverted. What tar-split keeps of a file's content. Pure.

export interface Crc64 {
  update(bytes: Uint8Array): void;
  /** Of all bytes so far: 8 bytes, big-endian. */
  digest(): Uint8Array;
}

/**
 * No tables: the polynomial is so sparse at its low end that what 32 bits of input do to the register is three shifts of them,
 * none of which reaches the 32 bits that come next.
 */
export function crc64(): Crc64 {
  let low = -1;
  let high = -1;
  return {
    update(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const size = bytes.byteLength;
      let at = 0;
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
    },
    digest() {
      const bytes = new Uint8Array(8);
      const view = new DataView(bytes.buffer);
      view.setInt32(0, ~high);
      view.setInt32(4, ~low);
      return bytes;
    },
  };
}
