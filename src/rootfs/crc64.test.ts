import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc64 } from './crc64.ts';

/** The definition of the CRC, bit by bit. */
function byDefinition(bytes: Uint8Array): string {
  let crc = 0xffff_ffff_ffff_ffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xd800_0000_0000_0000n : crc >> 1n;
  }
  return (crc ^ 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, '0');
}

function hex(parts: readonly Uint8Array[]): string {
  const crc = crc64();
  for (const part of parts) crc.update(part);
  return Buffer.from(crc.digest()).toString('hex');
}

describe('CRC-64', () => {
  it('has the published check value (CRC-64/GO-ISO)', () => {
    expect(hex([Buffer.from('123456789')])).toBe('b90956c775a41001');
    expect(hex([])).toBe('0000000000000000');
  });

  it('equals a plain implementation for long data, at any offset in memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1020, maxLength: 5000, size: 'max' }), fc.nat(9), (bytes, skip) => {
        expect(hex([bytes.subarray(skip), bytes])).toBe(byDefinition(Buffer.concat([bytes.subarray(skip), bytes])));
      }),
      { numRuns: 20 },
    );
    // Every remainder of the length divided by 32.
    for (let size = 1024; size < 1024 + 64; size++) {
      const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 31) ^ (at >> 3));
      expect(hex([bytes])).toBe(byDefinition(bytes));
    }
    const large = Uint8Array.from({ length: 600_001 }, (_, at) => (at * 7) ^ (at >> 8));
    expect(hex([large])).toBe(hex([large.subarray(0, 900), large.subarray(900, 300_000), large.subarray(300_000)]));
  });

  it('equals a plain implementation for any bytes, in any portions', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (parts) => {
        expect(hex(parts)).toBe(byDefinition(Buffer.concat(parts)));
      }),
    );
  });
});
