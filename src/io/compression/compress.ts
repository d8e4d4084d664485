// Parallel compression, whose output does not depend on the input's chunks: blocks of a fixed size, each compressed by a thread of its own. For gzip they
// become one member, as pigz writes it; for zstd each is a frame.
import { availableParallelism } from 'node:os';
import { constants, crc32, deflateRaw, type ZlibOptions, type ZstdOptions, zstdCompress } from 'node:zlib';
import type { Bytes } from '../streams/bytes.ts';

export interface CompressOptions {
  readonly kind: 'gzip' | 'zstd';
  /** 1 (fast) to 9, for zstd to 19. Default: 4 for gzip (6 takes twice the time for 3 % less), 3 for zstd. */
  readonly level?: number;
}

/** The bytes, compressed. Errors: those of `bytes`. */
export function compressed(bytes: Bytes, { kind, level }: CompressOptions): AsyncGenerator<Uint8Array, void> {
  return kind === 'gzip' ? gzip(bytes, level ?? 4) : zstd(bytes, level ?? 3);
}

const GZIP_BLOCK = 1 << 20;
/** In bytes. Smaller frames would compress worse, by more than additional threads gain. */
const ZSTD_BLOCK = 1 << 22;
/** In bytes. The distance that deflate can refer back, so each block starts with the end of the block before it as its dictionary. */
const WINDOW = 1 << 15;
/** A header without flags, time, compression hint and operating system (RFC 1952, 2.3). */
const GZIP_HEADER: Uint8Array = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** An empty block that is marked as the last one. */
const DEFLATE_END: readonly number[] = [3, 0];

async function* gzip(bytes: Bytes, level: number): AsyncGenerator<Uint8Array, void> {
  let sum = 0;
  let length = 0;
  let dictionary: Buffer | undefined;
  const memory = blockMemory(GZIP_BLOCK);
  yield GZIP_HEADER;
  yield* inOrder(blocksOf(bytes, memory), async (block) => {
    sum = crc32(block, sum);
    length += block.length;
    const before = dictionary;
    dictionary = Buffer.from(block.subarray(-WINDOW));
    try {
      return await packedBlock(block, level, before);
    } finally {
      memory.free(block);
    }
  });
  const end = Buffer.from([...DEFLATE_END, 0, 0, 0, 0, 0, 0, 0, 0]);
  end.writeUInt32LE(sum, 2);
  end.writeUInt32LE(length % 2 ** 32, 6);
  yield end;
}

async function packedBlock(block: Buffer, level: number, dictionary: Buffer | undefined): Promise<Buffer> {
  if (await isIncompressible(block)) return stored(block);
  return await deflateBlock(block, {
    level,
    finishFlush: constants.Z_SYNC_FLUSH,
    // The output is one chunk: several would have to be copied together.
    chunkSize: GZIP_BLOCK,
    // Takes a tenth less processor time than the default, for the same size.
    memLevel: 9,
    ...(dictionary && { dictionary }),
  });
}

const SAMPLE = 1 << 13;
const SAMPLES = 4;

/** Tries a few samples: compressing data that is compressed already takes twice the time of other data and gains nothing. */
async function isIncompressible(block: Buffer): Promise<boolean> {
  if (block.length < SAMPLES * SAMPLE) return false;
  for (let at = 0; at < SAMPLES; at++) {
    const from = Math.floor(((block.length - SAMPLE) * at) / (SAMPLES - 1));
    const packed = await deflateBlock(block.subarray(from, from + SAMPLE), { level: 1 });
    if (packed.length < SAMPLE) return false;
  }
  return true;
}

const MAX_STORED = 0xffff;

/** A block in stored form (RFC 1951, 3.2.4): each piece comes after its length and the inverted length. */
function stored(block: Buffer): Buffer {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < block.length; at += MAX_STORED) {
    const piece = block.subarray(at, at + MAX_STORED);
    const header = Buffer.alloc(5);
    header.writeUInt16LE(piece.length, 1);
    header.writeUInt16LE(piece.length ^ MAX_STORED, 3);
    pieces.push(header, piece);
  }
  return Buffer.concat(pieces);
}

async function* zstd(bytes: Bytes, level: number): AsyncGenerator<Uint8Array, void> {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  let isEmpty = true;
  const memory = blockMemory(ZSTD_BLOCK);
  yield* inOrder(blocksOf(bytes, memory), async (block) => {
    isEmpty = false;
    try {
      return await compressFrame(block, { params, chunkSize: ZSTD_BLOCK / 2 });
    } finally {
      memory.free(block);
    }
  });
  if (isEmpty) yield await compressFrame(Buffer.alloc(0), { params });
}

interface BlockMemory {
  /** Of each block, in bytes. */
  readonly size: number;
  take(): Buffer;
  /** Gives back a block, or the beginning of one, that is not used any more. */
  free(block: Buffer): void;
}

/** Reuses blocks: fresh memory costs more time than copying into it. */
function blockMemory(size: number): BlockMemory {
  const unused: ArrayBufferLike[] = [];
  return {
    size,
    take: () => {
      const memory = unused.pop();
      return memory ? Buffer.from(memory) : Buffer.allocUnsafeSlow(size);
    },
    free: ({ buffer }) => unused.push(buffer),
  };
}

/** Cuts the stream into blocks of exactly this size; only the last may be shorter. The consumer frees each block. */
async function* blocksOf(bytes: Bytes, { size, take }: BlockMemory): AsyncGenerator<Buffer, void> {
  let block = take();
  let filled = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      const portion = chunk.subarray(at, at + size - filled);
      block.set(portion, filled);
      filled += portion.length;
      at += portion.length;
      if (filled < size) continue;
      yield block;
      block = take();
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/** Works on one block for each processor, in parallel, with results in order. A few more are queued, so that no processor idles while results are consumed. */
async function* inOrder(
  blocks: AsyncIterable<Buffer>,
  work: (block: Buffer) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const atATime = availableParallelism() + 4;
  const results: Promise<Uint8Array>[] = [];
  for await (const block of blocks) {
    const result = work(block);
    // The consumer gets the error when it awaits this result. Until then it must not count as an unhandled rejection.
    result.catch(() => {});
    results.push(result);
    if (results.length >= atATime) yield await (results.shift() as Promise<Uint8Array>);
  }
  for (const result of results) yield await result;
}

function deflateBlock(block: Uint8Array, options: ZlibOptions): Promise<Buffer> {
  return new Promise((done, fail) =>
    deflateRaw(block, options, (error, packed) => (error ? fail(error) : done(packed))),
  );
}

function compressFrame(block: Uint8Array, options: ZstdOptions): Promise<Buffer> {
  return new Promise((done, fail) =>
    zstdCompress(block, options, (error, packed) => (error ? fail(error) : done(packed))),
  );
}
