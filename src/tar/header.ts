// Reads the 512-byte header of a tar entry: v7, ustar (POSIX.1-2017, pax, "ustar Interchange Format"), GNU (tar manual, "Basic Tar Format") and star.
// A layer can have a hundred thousand headers, so fields are read in place, and a name in one go.
import { ImagesError } from '../oci/errors.ts';
import { decodeName, printableName } from './names.ts';

export const BLOCK = 512;

export interface Header {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  /** One character; NUL if the field holds a NUL. */
  readonly typeflag: string;
  readonly linkname: string;
  readonly device: { readonly major: number; readonly minor: number };
}

/** Used for everything that is no device: the fields can hold garbage then. */
const NO_DEVICE: Header['device'] = { major: 0, minor: 0 };
const DEVICES = '34';
const TYPEFLAGS: readonly string[] = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

/** Reads the header at index `at`; `undefined` for a block of zeros, which ends an archive. Errors: TAR_INVALID. */
export function parseHeader(bytes: Buffer, at: number): Header | undefined {
  const sum = sumOf(bytes, at);
  if (sum === BLANKS && bytes[at + 148] === 0) return undefined;
  checkSum(bytes, at, sum);
  const dialect = dialectOf(bytes, at);
  const name = text(bytes, at, 100);
  const prefix = dialect === 'v7' || bytes[at + 345] === 0 ? '' : prefixOf(bytes, at, dialect);
  const typeflag = TYPEFLAGS[bytes[at + 156] as number] as string;
  const isDevice = dialect !== 'v7' && DEVICES.includes(typeflag);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(bytes, at + 100, 8) & 0o7777,
    uid: number(bytes, at + 108, 8),
    gid: number(bytes, at + 116, 8),
    size: number(bytes, at + 124, 12),
    mtime: number(bytes, at + 136, 12),
    typeflag,
    linkname: bytes[at + 157] === 0 ? '' : text(bytes, at + 157, 100),
    device: isDevice ? { major: number(bytes, at + 329, 8), minor: number(bytes, at + 337, 8) } : NO_DEVICE,
  };
}

/** Reads a numeric field, octal or binary. Errors: TAR_INVALID. */
export function number(bytes: Buffer, from: number, length: number): number {
  const value = (bytes[from] as number) < 0x80 ? octal(bytes, from, length) : binary(bytes, from, length);
  if (Number.isSafeInteger(value)) return value as number;
  const field = bytes.toString('latin1', from, from + length);
  throw invalid(`no number, or too big a one, in a tar header [${printableName(field)}]`);
}

/** Reads octal digits: after blanks, up to a blank or NUL. */
function octal(bytes: Buffer, from: number, length: number): number | undefined {
  const end = from + length;
  let at = from;
  while (at < end && (bytes[at] === 0x20 || bytes[at] === 0)) at++;
  let value = 0;
  for (; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit >= 0 && digit < 8) value = value * 8 + digit;
    else if (digit === 0x20 - 0x30 || digit === 0 - 0x30) break;
    else return undefined;
  }
  return value;
}

/** Reads a binary number, for values too large for octal: first bit set, then big-endian two's complement. */
function binary(bytes: Buffer, from: number, length: number): number {
  const first = bytes[from] as number;
  const flip = first & 0x40 ? 0xff : 0;
  let value = (first ^ flip) & 0x3f;
  for (let at = from + 1; at < from + length; at++) value = value * 256 + ((bytes[at] as number) ^ flip);
  return flip ? -value - 1 : value;
}

/** The sum of the checksum field while it holds blanks, as it does when the checksum is computed. */
const BLANKS = 8 * 0x20;

/** The sum of all bytes of a header, with blanks in its checksum field. */
function sumOf(bytes: Buffer, at: number): number {
  let sum = BLANKS;
  for (let index = at, end = at + 148; index < end; index++) sum += bytes[index] as number;
  for (let index = at + 156, end = at + BLOCK; index < end; index++) sum += bytes[index] as number;
  return sum;
}

/** Checks the checksum. Old programs summed signed bytes, so both sums are accepted. */
function checkSum(bytes: Buffer, at: number, sum: number): void {
  const expected = octal(bytes, at + 148, 8);
  if (expected === sum) return;
  let high = 0;
  for (let index = at; index < at + BLOCK; index++) {
    if ((bytes[index] as number) >= 0x80 && (index < at + 148 || index >= at + 156)) high++;
  }
  if (expected !== sum - 256 * high)
    throw invalid(`no tar archive: the checksum of a header is [${expected ?? 'no number'}], not [${sum}]`);
}

type Dialect = 'v7' | 'ustar' | 'gnu' | 'star';

function dialectOf(bytes: Buffer, at: number): Dialect {
  if (!holds(bytes, at + 257, USTAR)) return 'v7';
  const next = bytes[at + 262];
  if (next !== 0) return next === 0x20 ? 'gnu' : 'v7';
  return holds(bytes, at + 508, STAR) ? 'star' : 'ustar';
}

const USTAR = Buffer.from('ustar');
const STAR = Buffer.from('tar\0');

function holds(bytes: Buffer, at: number, expected: Buffer): boolean {
  for (let index = 0; index < expected.length; index++) if (bytes[at + index] !== expected[index]) return false;
  return true;
}

/** The prefix of a name. In GNU headers its field holds times, and star keeps times at its end; Go before 1.8 wrote GNU headers with a prefix. */
function prefixOf(bytes: Buffer, at: number, dialect: Dialect): string {
  if (dialect === 'ustar') return text(bytes, at + 345, 155);
  if (dialect === 'star') return text(bytes, at + 345, 131);
  return areTimes(bytes, at) ? '' : text(bytes, at + 345, 155);
}

function areTimes(bytes: Buffer, at: number): boolean {
  return /^(?:[\x80\xff].{11}|[ \0]*[0-7]*[ \0]*)$/s.test(bytes.toString('latin1', at + 345, at + 357));
}

/** Reads a text field, up to the first NUL. */
function text(bytes: Buffer, from: number, length: number): string {
  const limit = from + length;
  let end = from;
  let seen = 0;
  for (; end < limit; end++) {
    const byte = bytes[end] as number;
    if (byte === 0) break;
    seen |= byte;
  }
  return seen < 0x80 ? bytes.toString('latin1', from, end) : decodeName(bytes.subarray(from, end));
}

function invalid(message: string): ImagesError {
  return new ImagesError('TAR_INVALID', message);
}

/** The size rounded up to whole blocks. */
export function paddedToBlock(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
