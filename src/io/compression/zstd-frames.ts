// Splits a stream at the borders of Zstandard frames (RFC 8878, 3.1), so that no output chunk spans two frames. It is needed because Node 22 ignores what
// follows a frame in the same chunk, and accepts a truncated frame. Layers in zstd:chunked consist of many frames and an index at the end.
import { gatherer } from '../streams/gatherer.ts';
import { breaksOff, trailing } from './compression-invalid.ts';

/** Errors: COMPRESSION_INVALID if the data is truncated or a frame is followed by something else; those of `bytes`. */
export async function* zstdFrames(bytes: AsyncIterable<Uint8Array>, portion: number): AsyncGenerator<Uint8Array, void> {
  const frames = frameParser();
  const out = gatherer();
  for await (const chunk of bytes) {
    let from = 0;
    for (let at = 0; at < chunk.length; ) {
      at = frames.advance(chunk, at);
      if (frames.isInside()) continue;
      yield out.add(chunk.subarray(from, at)).flush();
      from = at;
    }
    if (from < chunk.length) out.add(chunk.subarray(from));
    if (out.length() >= portion) yield out.flush();
  }
  if (frames.isInside()) throw breaksOff('zstd');
  if (out.length() > 0) yield out.flush();
}

interface FrameParser {
  /** Reads on from offset `at`, to the end of the frame at most; returns the new offset. Errors: COMPRESSION_INVALID. */
  advance(chunk: Uint8Array, at: number): number;
  /** Whether the position is inside a frame; false between two frames. */
  isInside(): boolean;
}

const FRAME = 0xfd2fb528;
/** The magic number of skippable frames, which decoders ignore. Its last four bits are free. */
const SKIPPABLE = 0x184d2a50;
const DICTIONARY_LENGTHS: readonly number[] = [0, 1, 2, 4];
const SIZE_LENGTHS: readonly number[] = [0, 2, 4, 8];
const RLE = 1;

/** A header field to read, and a function from its value to what comes next: how many bytes to skip, and the next field. */
interface Field {
  readonly length: number;
  read(bytes: Buffer): { readonly pass: number; readonly next: Field };
}

function frameParser(): FrameParser {
  let hasChecksum = false;
  const magic: Field = {
    length: 4,
    read: (bytes) => {
      const value = bytes.readUInt32LE();
      if (value === FRAME) return { pass: 0, next: descriptor };
      if ((value & 0xfffffff0) >>> 0 === SKIPPABLE) return { pass: 0, next: skippable };
      throw trailing('zstd');
    },
  };
  const skippable: Field = { length: 4, read: (bytes) => ({ pass: bytes.readUInt32LE(), next: magic }) };
  const descriptor: Field = {
    length: 1,
    read: (bytes) => {
      const flags = bytes.readUInt8();
      hasChecksum = (flags & 4) !== 0;
      const isSingle = (flags & 32) !== 0;
      const size = flags >> 6 === 0 && isSingle ? 1 : (SIZE_LENGTHS[flags >> 6] as number);
      return { pass: (isSingle ? 0 : 1) + (DICTIONARY_LENGTHS[flags & 3] as number) + size, next: block };
    },
  };
  const block: Field = {
    length: 3,
    read: (bytes) => {
      const value = bytes.readUIntLE(0, 3);
      const length = ((value >> 1) & 3) === RLE ? 1 : value >> 3;
      return value & 1 ? { pass: length + (hasChecksum ? 4 : 0), next: magic } : { pass: length, next: block };
    },
  };

  const field = Buffer.alloc(4);
  let filled = 0;
  let pass = 0;
  let next = magic;
  return {
    isInside: () => pass > 0 || filled > 0 || next !== magic,
    advance(chunk, from) {
      let at = from;
      do {
        if (pass > 0) {
          const passed = Math.min(pass, chunk.length - at);
          pass -= passed;
          at += passed;
        } else {
          field[filled++] = chunk[at++] as number;
          if (filled < next.length) continue;
          filled = 0;
          ({ pass, next } = next.read(field));
        }
      } while (at < chunk.length && (pass > 0 || next !== magic || filled > 0));
      return at;
    },
  };
}
