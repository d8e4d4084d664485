// The records of a pax extended header: `LENGTH KEY=VALUE\n`, LENGTH in decimal and counting itself (POSIX.1-2017, pax, "pax Extended Header").
import { ImagesError } from '../oci/errors.ts';
import { decodeName, encodeName, printableName } from './names.ts';

export type Records = ReadonlyMap<string, Uint8Array>;

export const NO_RECORDS: Records = new Map();
/** The record in which GNU sparse format 0.1 has its map. Format 0.0 repeats keys instead; its pieces are joined to such a record. */
export const SPARSE_MAP = 'GNU.sparse.map';
const SPARSE_PIECE = /^GNU\.sparse\.(?:offset|numbytes)$/;
/** The most digits of a length. More are taken for an attack. */
const MAX_DIGITS = 10;
const COMMA = Buffer.from(',');

/** Parses records. Values are bytes: most are UTF-8, extended attributes need not be. Errors: TAR_INVALID. */
export function parsePaxRecords(bytes: Buffer): Records {
  const records = new Map<string, Uint8Array>();
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    let blank = at;
    let length = 0;
    for (; blank < at + MAX_DIGITS; blank++) {
      const digit = (bytes[blank] ?? 0) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      length = length * 10 + digit;
    }
    const end = at + length;
    const equals = bytes.indexOf(0x3d, blank);
    const isRecord = bytes[blank] === 0x20 && end <= bytes.length && bytes[end - 1] === 0x0a;
    if (!isRecord || equals <= blank + 1 || equals >= end) throw broken(bytes.subarray(at, at + 40));
    const key = decodeName(bytes.subarray(blank + 1, equals));
    const value = bytes.subarray(equals + 1, end - 1);
    if (key.includes('\0')) throw broken(bytes.subarray(at, end));
    if (SPARSE_PIECE.test(key)) pieces.push(value);
    records.set(key, value);
    at = end;
  }
  if (pieces.length > 0) {
    records.set(SPARSE_MAP, Buffer.concat(pieces.flatMap((piece, index) => (index > 0 ? [COMMA, piece] : [piece]))));
  }
  return records;
}

/** The bytes of one record. */
export function paxRecord(key: string, value: string | Uint8Array): Uint8Array {
  const content = Buffer.concat([
    Buffer.from(' '),
    encodeName(key),
    Buffer.from('='),
    Buffer.from(value),
    Buffer.from('\n'),
  ]);
  let digits = 1;
  while (String(content.length + digits).length > digits) digits++;
  return Buffer.concat([Buffer.from(`${content.length + digits}`), content]);
}

/** The text of a record; `undefined` if it is missing or empty, which mean the same (POSIX.1-2017). Errors: TAR_INVALID. */
export function recordText(records: Records, key: string): string | undefined {
  const value = records.get(key);
  if (value === undefined || value.length === 0) return undefined;
  if (value.includes(0))
    throw new ImagesError('TAR_INVALID', `a NUL in ${key} in a tar archive [${printableName(decodeName(value))}]`);
  return decodeName(value);
}

/** The value of a record that holds a whole number. Errors: TAR_INVALID. */
export function recordNumber(records: Records, key: string): number | undefined {
  const text = recordText(records, key);
  if (text === undefined) return undefined;
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw new ImagesError(
      'TAR_INVALID',
      `no number, or too big a one, for ${key} in a tar archive [${printableName(text)}]`,
    );
  }
  return value;
}

function broken(bytes: Uint8Array): ImagesError {
  return new ImagesError(
    'TAR_INVALID',
    `a broken extended header in a tar archive [${printableName(decodeName(bytes))}]`,
  );
}
