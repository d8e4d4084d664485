// Turns the sorted bytes of a bzip2 block into its content: undoes the sorting (Burrows-Wheeler), then expands runs (four equal bytes and a count).
import type { Block } from './bzip2-block.ts';

/** In bytes. A block can expand to 46 MB, so its content is delivered in chunks. */
const CHUNK = 1 << 18;
/** The longest run, in bytes. */
const MAX_RUN = 4 + 255;

/** Yields the content; returns its checksum. */
export function* blockContent({ work, length, origin }: Block): Generator<Uint8Array, number> {
  linkUp(work, length);
  let out = Buffer.allocUnsafe(CHUNK);
  let filled = 0;
  let sum = -1;
  let at = (work[origin] as number) >>> 8;
  let last = -1;
  let equal = 0;
  for (let left = length; left > 0; left--) {
    const linked = work[at] as number;
    const byte = linked & 0xff;
    at = linked >>> 8;
    if (equal === 4) {
      equal = 0;
      out.fill(last, filled, filled + byte);
      filled += byte;
      for (let more = byte; more > 0; more--) sum = (sum << 8) ^ (TABLE[(sum >>> 24) ^ last] as number);
      last = -1;
    } else {
      equal = byte === last ? equal + 1 : 1;
      last = byte;
      out[filled++] = byte;
      sum = (sum << 8) ^ (TABLE[(sum >>> 24) ^ byte] as number);
    }
    if (filled > CHUNK - MAX_RUN) {
      yield out.subarray(0, filled);
      out = Buffer.allocUnsafe(CHUNK);
      filled = 0;
    }
  }
  if (filled > 0) yield out.subarray(0, filled);
  return ~sum;
}

/** Writes above each byte the index of the byte that follows it in the content: the n-th occurrence of a value in sorted order is its n-th one in `work`. */
function linkUp(work: Uint32Array, length: number): void {
  const begins = new Uint32Array(257);
  for (let index = 0; index < length; index++) {
    const next = ((work[index] as number) & 0xff) + 1;
    begins[next] = (begins[next] as number) + 1;
  }
  for (let byte = 0; byte < 256; byte++) begins[byte + 1] = (begins[byte + 1] as number) + (begins[byte] as number);
  for (let index = 0; index < length; index++) {
    const byte = (work[index] as number) & 0xff;
    const at = begins[byte] as number;
    begins[byte] = at + 1;
    work[at] = (work[at] as number) | (index << 8);
  }
}

/** CRC-32, most significant bit first. */
const TABLE: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
});
