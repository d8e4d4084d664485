// A bzip2 decoder. The packages on npm want the whole file at once, or keep a block, which can expand to 46 MB, as an array of numbers.
// bzip2-block.ts and bzip2-content.ts decode a block.
import { gatherer } from '../streams/gatherer.ts';
import { BitReader } from './bit-reader.ts';
import { readBlock } from './bzip2-block.ts';
import { blockContent } from './bzip2-content.ts';
import { breaksOff, compressionInvalid, trailing } from './compression-invalid.ts';

/** In bytes. An upper bound for a compressed block: 900,000 symbols of at most 20 bits, and their tables. */
const MAX_BLOCK = 2_400_000;
/** In bytes. How far the input is read ahead; the unread rest is then moved to the front of the buffer. */
const AHEAD = 2 * MAX_BLOCK;

/** Concatenated streams are read as one. Errors: COMPRESSION_INVALID, those of `bytes`. */
export async function* bunzip2(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const bits = new BitReader('bzip2');
  const streams = streamReader(bits);
  const waiting = gatherer();
  for await (const chunk of bytes) {
    if (waiting.add(chunk).length() + bits.left() < AHEAD) continue;
    bits.refill(waiting.flush());
    while (bits.left() >= MAX_BLOCK) yield* streams.next();
  }
  bits.refill(waiting.flush());
  while (bits.left() > 0) yield* streams.next();
  if (streams.isInside()) throw breaksOff('bzip2');
}

interface StreamReader {
  /** Reads the next part: the head of a stream, a block, or the end of a stream. */
  next(): Generator<Uint8Array, void>;
  isInside(): boolean;
}

const STREAM = 0x425a68;
const BLOCK: Magic = [0x314159, 0x265359];
const END: Magic = [0x177245, 0x385090];

type Magic = readonly [number, number];

function streamReader(bits: BitReader): StreamReader {
  let streams = 0;
  /** The most bytes that a block may decode to; 0 between two streams. */
  let limit = 0;
  let sum = 0;

  const head = (): void => {
    const magic = bits.read(24);
    const level = bits.read(8) - 0x30;
    if (magic !== STREAM || level < 1 || level > 9)
      throw streams > 0 ? trailing('bzip2') : compressionInvalid('bzip2', 'no header');
    streams++;
    limit = level * 100_000;
    sum = 0;
  };

  return {
    isInside: () => limit > 0,
    *next() {
      if (limit === 0) return head();
      const magic: Magic = [bits.read(24), bits.read(24)];
      const expected = (bits.read(16) << 16) | bits.read(16);
      if (is(magic, BLOCK)) {
        const found = yield* blockContent(readBlock(bits, limit));
        if (found !== expected) throw compressionInvalid('bzip2', 'wrong checksum');
        sum = ((sum << 1) | (sum >>> 31)) ^ found;
      } else if (is(magic, END)) {
        if (sum !== expected) throw compressionInvalid('bzip2', 'wrong checksum');
        bits.align();
        limit = 0;
      } else throw compressionInvalid('bzip2', 'no block');
    },
  };
}

function is(magic: Magic, expected: Magic): boolean {
  return magic[0] === expected[0] && magic[1] === expected[1];
}
