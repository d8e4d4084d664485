// The 512-byte header of a tar archive: v7, ustar (POSIX.1-2017, pax, "ustar Interchange Format") and GNU's own (tar manual, "Basic Tar Format").
import { ImagesError } from '../oci/errors.ts';

export const BLOCK = 512;

export interface Header {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  /** One character; `0` where it is NUL. */
  readonly typeflag: string;
  readonly linkname: string;
  readonly major: number;
  readonly minor: number;
}

/** Reads a header; undefined for a block of zeros, which ends an archive. Errors: TAR_INVALID. */
export function parseHeader(block: Uint8Array): Header | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  checkSum(block);
  const isUstar = text(block, 257, 6) === 'ustar';
  // GNU's headers keep times where POSIX has the prefix of the name.
  const prefix = isUstar && block[262] === 0 ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(block, 100, 8) & 0o7777,
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    size: number(block, 124, 12),
    mtime: number(block, 136, 12),
    typeflag: String.fromCharCode(block[156] || 0x30),
    linkname: text(block, 157, 100),
    major: isUstar ? number(block, 329, 8) : 0,
    minor: isUstar ? number(block, 337, 8) : 0,
  };
}

/** The sum of all bytes, its own field taken as blanks; old programs added them up with signs. */
function checkSum(block: Uint8Array): void {
  const expected = number(block, 148, 8);
  let unsigned = 0;
  let signed = 0;
  for (const [index, byte] of block.entries()) {
    const value = index >= 148 && index < 156 ? 0x20 : byte;
    unsigned += value;
    signed += value < 128 ? value : value - 256;
  }
  if (expected !== unsigned && expected !== signed) {
    throw new ImagesError(
      'TAR_INVALID',
      `no tar archive: the checksum of a header is [${expected}], not [${unsigned}]`,
    );
  }
}

/** Up to the first NUL. */
function text(block: Uint8Array, from: number, length: number): string {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** Octal digits between blanks and NULs, or, with the first bit set, a big-endian number (two's complement) that octal has no room for. */
function number(block: Uint8Array, from: number, length: number): number {
  const field = block.subarray(from, from + length);
  const first = field[0] ?? 0;
  if (first & 0x80) return binaryNumber(field);
  const digits = text(block, from, length).trim();
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw new ImagesError('TAR_INVALID', `no number in a tar header [${digits}]`);
  return Number.parseInt(digits, 8);
}

function binaryNumber(field: Uint8Array): number {
  const bits = field.length * 8 - 1;
  const value = field.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) & ((1n << BigInt(bits)) - 1n);
  const signed = (field[0] ?? 0) & 0x40 ? value - (1n << BigInt(bits)) : value;
  const result = Number(signed);
  if (!Number.isSafeInteger(result))
    throw new ImagesError('TAR_INVALID', `a number in a tar header is too big [${signed}]`);
  return result;
}
