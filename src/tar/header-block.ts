// Writes a header block: ustar (POSIX.1-2017). Numbers too large for octal are binary, a GNU extension that all readers understand.
import type { TarHeader } from './entry.ts';
import { BLOCK } from './header.ts';

export const MAX_NAME = 100;

export interface HeaderField {
  readonly name: Uint8Array;
  readonly prefix?: Uint8Array;
}

export interface Numbers extends Pick<TarHeader, 'mode' | 'uid' | 'gid' | 'size' | 'device'> {
  readonly seconds: number;
}

export const NO_NUMBERS: Numbers = { mode: 0o644, uid: 0, gid: 0, size: 0, seconds: 0, device: { major: 0, minor: 0 } };

/** A block with what all headers have in common: blanks for the checksum, and the magic. */
const EMPTY: Uint8Array = emptyBlock();

/** Builds a header block. What is longer than its field is cut off. */
export function headerBlock(typeflag: string, field: HeaderField, linkname: Uint8Array, numbers: Numbers): Uint8Array {
  // Taken from Node's buffer pool: an allocation would cost more than filling it.
  const block = Buffer.allocUnsafe(BLOCK);
  block.set(EMPTY);
  block.set(field.name.subarray(0, MAX_NAME), 0);
  putNumber(block, 100, 8, numbers.mode);
  putNumber(block, 108, 8, numbers.uid);
  putNumber(block, 116, 8, numbers.gid);
  putNumber(block, 124, 12, numbers.size);
  putNumber(block, 136, 12, numbers.seconds);
  block[156] = typeflag.charCodeAt(0);
  if (linkname.length > 0) block.set(linkname.subarray(0, MAX_NAME), 157);
  putNumber(block, 329, 8, numbers.device.major);
  putNumber(block, 337, 8, numbers.device.minor);
  if (field.prefix) block.set(field.prefix, 345);
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += block[at] as number;
  // Six digits and a NUL; the blank after it is there already.
  putNumber(block, 148, 7, sum);
  block[154] = 0;
  return block;
}

/** Writes octal digits and a NUL, or big-endian two's complement with the first bit set. */
function putNumber(block: Buffer, at: number, length: number, value: number): void {
  if (isOctal(value, length)) {
    let rest = value;
    for (let index = at + length - 2; index >= at; index--) {
      block[index] = 0x30 + (rest % 8);
      rest = Math.floor(rest / 8);
    }
    return;
  }
  let rest = value;
  for (let index = at + length - 1; index > at; index--) {
    block[index] = ((rest % 256) + 256) % 256;
    rest = Math.floor(rest / 256);
  }
  block[at] = value < 0 ? 0xff : 0x80;
}

/** Whether the number fits into a field of this length in octal. */
export function isOctal(value: number, length: number): boolean {
  return value >= 0 && value < 8 ** (length - 1);
}

function emptyBlock(): Buffer {
  const block = Buffer.alloc(BLOCK).fill(0x20, 148, 156);
  block.write('ustar\x0000', 257, 'latin1');
  return block;
}
