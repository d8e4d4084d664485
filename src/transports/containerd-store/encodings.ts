// How containerd writes numbers and times in its databases: Go's encoding/binary and time.Time.MarshalBinary. Pure.

/** From year 1, where Go's times begin, to 1970, in seconds. */
const YEAR_1970 = 62135596800n;
const TIME_VERSION = 1;
/** Go's minutes east of Greenwich for UTC. */
const UTC = -1;

/** A number of seven bits a byte, the lowest first. */
export function uvarint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** A number with a sign; the sign is its lowest bit. `value` is not negative. */
export function varint(value: number): Uint8Array {
  return uvarint(value * 2);
}

/** The number at the beginning; `undefined` if there is none that is safe. */
export function readUvarint(bytes: Uint8Array): number | undefined {
  let value = 0n;
  for (const [at, byte] of bytes.entries()) {
    value |= BigInt(byte & 0x7f) << BigInt(7 * at);
    if ((byte & 0x80) === 0) return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
    if (at >= 9) return undefined;
  }
  return undefined;
}

/** Returns `undefined` also for a negative number: no record has one. */
export function readVarint(bytes: Uint8Array): number | undefined {
  const value = readUvarint(bytes);
  return value !== undefined && value % 2 === 0 ? value / 2 : undefined;
}

/** `time` is in milliseconds since 1970. */
export function goTime(time: number): Uint8Array {
  const seconds = Math.floor(time / 1000);
  const bytes = Buffer.alloc(15);
  bytes.writeUInt8(TIME_VERSION);
  bytes.writeBigInt64BE(BigInt(seconds) + YEAR_1970, 1);
  bytes.writeUInt32BE((time - seconds * 1000) * 1_000_000, 9);
  bytes.writeInt16BE(UTC, 13);
  return bytes;
}
