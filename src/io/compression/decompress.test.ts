import { execFileSync, spawnSync } from 'node:child_process';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rounds } from '../../../test/testing/soak.ts';
import { isImagesError } from '../../oci/errors.ts';
import { type Compression, compressionOf } from './compression.ts';
import { decompressed } from './decompress.ts';

const [hasZstd, hasXz, hasBzip2] = ['zstd', 'xz', 'bzip2'].map(
  (program) => spawnSync(program, ['--version'], { input: '' }).status === 0,
) as [boolean, boolean, boolean];
const by =
  (program: string, ...args: readonly string[]) =>
  (bytes: Uint8Array): Uint8Array =>
    execFileSync(program, ['-c', ...args], { input: bytes, maxBuffer: 1 << 28 });

/** Text, zeros and noise. */
function contentOf(lines: number): Buffer {
  return Buffer.concat([
    Buffer.from(Array.from({ length: lines }, (_, line) => `line ${line * line}\n`).join('')),
    Buffer.alloc(300_000),
    Buffer.from(Uint32Array.from({ length: 30_000 }, (_, at) => Math.imul(at, 2654435761) ^ (at << 7)).buffer),
    Buffer.alloc(300, 'a'),
  ]);
}

/** More than any chunk, and than a block of 128 KiB (zstd) or 100 kB (bzip2 -1). */
const CONTENT = contentOf(10_000);
/** More than a block of bzip2, of 900 kB without counting zeros. Its decoder is written in JavaScript, and text takes it less time than noise. */
const LONG = contentOf(56_000);

interface Compressor {
  readonly name: string;
  readonly compression: Compression;
  readonly isThere: boolean;
  readonly compress: (bytes: Uint8Array) => Uint8Array;
  /** Default: CONTENT. */
  readonly content?: Buffer;
}

const COMPRESSORS: readonly Compressor[] = [
  { name: 'gzip of Node', compression: 'gzip', isThere: true, compress: gzipSync },
  { name: 'zstd of Node', compression: 'zstd', isThere: true, compress: zstdCompressSync },
  { name: 'zstd', compression: 'zstd', isThere: hasZstd, compress: by('zstd', '-q') },
  { name: 'xz', compression: 'xz', isThere: hasXz, compress: by('xz', '-1') },
  { name: 'xz in blocks', compression: 'xz', isThere: hasXz, compress: by('xz', '-1', '--block-size=10000') },
  { name: 'bzip2', compression: 'bzip2', isThere: hasBzip2, compress: by('bzip2'), content: LONG },
  { name: 'bzip2 in small blocks', compression: 'bzip2', isThere: hasBzip2, compress: by('bzip2', '-1') },
];

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, size = 65_536): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(decompressed(inChunks(bytes, size))));
}

describe('bytes that are not compressed', () => {
  it('pass through, however few', async () => {
    for (const text of ['', 'B', 'BZ', 'BZh9 is a name', 'a'.repeat(600)]) {
      expect((await read(Buffer.from(text), 7)).toString()).toBe(text);
    }
  });

  it('close their source when nobody wants the rest', async () => {
    let isClosed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.alloc(100, 'x');
      } finally {
        isClosed = true;
      }
    }
    for await (const _ of decompressed(source())) break;
    expect(isClosed).toBe(true);
  });
});

for (const { name, compression, isThere, compress, content = CONTENT } of COMPRESSORS) {
  describe.skipIf(!isThere)(`bytes that ${name} compressed (skipped where it is not installed)`, () => {
    const packed = isThere ? compress(content) : new Uint8Array();
    const small = isThere ? compress(Buffer.from('some bytes')) : new Uint8Array();

    it('are recognised', () => {
      expect(compressionOf(packed)).toBe(compression);
      expect(compressionOf(packed.subarray(0, 10))).toBe(compression);
    });

    it('come back in chunks of any size', async () => {
      for (const size of content === LONG ? [1000] : [1000, packed.length])
        expect((await read(packed, size)).equals(content)).toBe(true);
      for (const size of [1, 2, 3]) expect((await read(small, size)).toString()).toBe('some bytes');
    });

    it('come back when there are several in a row, also of nothing', async () => {
      const empty = compress(new Uint8Array());
      expect(await read(empty)).toHaveLength(0);
      // With blocks of any size a row is read alike, so the long one is left out.
      const [middle, text] = content === LONG ? [small, Buffer.from('some bytes')] : [packed, content];
      const row = Buffer.concat([small, empty, middle, small]);
      const expected = Buffer.concat([Buffer.from('some bytes'), text, Buffer.from('some bytes')]);
      for (const size of compression === 'bzip2' ? [100] : [100, row.length])
        expect((await read(row, size)).equals(expected)).toBe(true);
    });

    it('are refused where they break off', async () => {
      for (const length of [small.length - 1, small.length - 5, 11]) {
        await expect(read(small.subarray(0, length))).rejects.toMatchObject({ code: 'COMPRESSION_INVALID' });
      }
      const half = packed.subarray(0, Math.floor(packed.length / 2));
      await expect(read(half, 5000)).rejects.toMatchObject({ code: 'COMPRESSION_INVALID' });
    });

    it('are refused with something after their end', async () => {
      for (const size of [small.length, 1000]) {
        const more = Buffer.concat([small, Buffer.from('and something else')]);
        await expect(read(more, size)).rejects.toMatchObject({ code: 'COMPRESSION_INVALID' });
      }
    });

    it('are read or refused, and nothing else, whatever is changed in them', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.integer({ min: 10, max: small.length - 1 }), fc.nat(255)), {
            minLength: 1,
            maxLength: 5,
          }),
          async (changes) => {
            const broken = Uint8Array.from(small);
            for (const [at, value] of changes) broken[at] = value;
            await read(broken).catch((error: unknown) =>
              expect(isImagesError(error, 'COMPRESSION_INVALID', 'UNSUPPORTED'), `${error}`).toBe(true),
            );
          },
        ),
        { numRuns: rounds(20) },
      );
    });

    it('close their source when nobody wants the rest', async () => {
      let isClosed = false;
      async function* source(): AsyncGenerator<Uint8Array> {
        try {
          yield* inChunks(packed, 1000);
          for (;;) yield packed;
        } finally {
          isClosed = true;
        }
      }
      for await (const _ of decompressed(source())) break;
      expect(isClosed).toBe(true);
    });

    it('let errors of their source through', async () => {
      async function* source(): AsyncGenerator<Uint8Array> {
        yield packed.subarray(0, 3000);
        throw new Error('no network');
      }
      await expect(Array.fromAsync(decompressed(source()))).rejects.toThrow('no network');
    });
  });
}

describe('gzip in members', () => {
  it('is refused with zeros in the place of a member, wherever the chunks end', async () => {
    const member = gzipSync('some bytes');
    for (const more of [Buffer.alloc(1), Buffer.alloc(100_000), Buffer.concat([Buffer.alloc(1), member.subarray(1)])]) {
      const row = Buffer.concat([member, member, more]);
      // More zeros than a chunk has, in chunks of one byte, would be nothing but many chunks.
      const bytewise = more.length > 65_536 ? [] : [1];
      for (const size of [...bytewise, member.length, 2 * member.length, 65_536, row.length]) {
        await expect(read(row, size)).rejects.toMatchObject({ code: 'COMPRESSION_INVALID' });
      }
    }
  });
});

describe('bytes that decompress to far more', () => {
  it('are refused as an attack above a limit', async () => {
    const bomb = zstdCompressSync(Buffer.alloc(1 << 24));
    const limits = { size: 1 << 22, ratio: 2000 };
    const all = Array.fromAsync(decompressed(inChunks(bomb, 65_536), limits));
    await expect(all).rejects.toMatchObject({
      code: 'COMPRESSION_INVALID',
      message: expect.stringContaining('attack'),
    });
  });

  it('are accepted below it, and if the ratio is ordinary', async () => {
    const zeros = zstdCompressSync(Buffer.alloc(1 << 20));
    expect(await read(zeros)).toHaveLength(1 << 20);
    const packed = gzipSync(Buffer.alloc(1 << 22));
    let length = 0;
    for await (const chunk of decompressed(inChunks(packed, 65_536), { size: 1000, ratio: 2000 }))
      length += chunk.length;
    expect(length).toBe(1 << 22);
  });

  it('are refused where a run in a block of bzip2 is longer than the block', async () => {
    await expect(read(runWithoutEnd())).rejects.toMatchObject({ code: 'COMPRESSION_INVALID' });
  });

  it.skipIf(!hasBzip2)(
    'come in pieces where they are a block of bzip2 (skipped where it is not installed)',
    async () => {
      // One block holds 45 MB of them.
      const packed = by('bzip2')(Buffer.alloc(6_000_000));
      expect(packed.length).toBeLessThan(1000);
      let longest = 0;
      let length = 0;
      for await (const chunk of decompressed(inChunks(packed, 65_536))) {
        longest = Math.max(longest, chunk.length);
        length += chunk.length;
      }
      expect(length).toBe(6_000_000);
      expect(longest).toBeLessThan(1 << 20);
    },
  );
});

/** A stream with one block of one run, of 2^41 bytes: counted with 32 bits it would be below zero. */
function runWithoutEnd(): Uint8Array {
  const bits: string[] = [];
  const put = (value: number, count: number): number => bits.push(value.toString(2).padStart(count, '0'));
  for (const byte of Buffer.from('BZh9')) put(byte, 8);
  for (const byte of [0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0, 0, 0, 0]) put(byte, 8);
  // Not randomised, origin 0; the byte 0 alone is used; two tables, one selector: the first.
  put(0, 1);
  put(0, 24);
  put(0x8000, 16);
  put(0x8000, 16);
  put(2, 3);
  put(1, 15);
  put(0, 1);
  // Two tables of three symbols (two for runs, the end) with codes of 2 bits each.
  for (let table = 0; table < 2; table++) {
    put(2, 5);
    put(0, 3);
  }
  for (let symbol = 0; symbol < 40; symbol++) put(1, 2);
  put(2, 2);
  const text = bits.join('').padEnd(Math.ceil(bits.join('').length / 8) * 8, '0');
  return Uint8Array.from(text.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}
