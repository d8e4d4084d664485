import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rounds } from '../../../test/testing/soak.ts';
import { compressed } from './compress.ts';
import { decompressed } from './decompress.ts';

const KINDS = ['gzip', 'zstd'] as const;
const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

const LINES = Array.from({ length: 5003 }, (_, line) => `line ${line}\n`).join('');
/** Compressible, and longer than two blocks (1 MiB of gzip, 4 MiB of zstd). */
const CONTENTS = { gzip: Buffer.alloc(2_400_000, LINES), zstd: Buffer.alloc(8_600_000, LINES) };

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function packed(kind: 'gzip' | 'zstd', bytes: Uint8Array, size = 65_536, level?: number): Promise<Buffer> {
  const options = level === undefined ? { kind } : { kind, level };
  return Buffer.concat(await Array.fromAsync(compressed(inChunks(bytes, size), options)));
}

async function unpacked(bytes: Uint8Array): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(decompressed(inChunks(bytes, 65_536))));
}

for (const kind of KINDS) {
  describe(`bytes compressed with ${kind}`, async () => {
    const CONTENT = CONTENTS[kind];
    const bytes = await packed(kind, CONTENT);

    it('come back', async () => {
      expect(bytes.length).toBeLessThan(CONTENT.length / 4);
      expect((await unpacked(bytes)).equals(CONTENT)).toBe(true);
      expect(await unpacked(await packed(kind, new Uint8Array()))).toHaveLength(0);
    });

    it('are the same whatever chunks they come in, and whenever', async () => {
      for (const size of [999, 1 << 20, CONTENT.length]) {
        expect((await packed(kind, CONTENT, size)).equals(bytes)).toBe(true);
      }
    });

    it.skipIf(!has(kind))('are read by the program itself (skipped where it is not installed)', async () => {
      for (const content of [CONTENT, CONTENT.subarray(0, 1 << 20), new Uint8Array()]) {
        const input = content === CONTENT ? bytes : await packed(kind, content);
        const output = execFileSync(kind, ['-dc'], { input, maxBuffer: 1 << 28 });
        expect(output.equals(content)).toBe(true);
      }
    });

    it('come back, whatever they are', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), fc.integer({ min: 1, max: 9 }), async (content, level) => {
          expect((await unpacked(await packed(kind, content, 700, level))).equals(content)).toBe(true);
        }),
        { numRuns: rounds(25) },
      );
    });

    it('let errors of their source through', async () => {
      async function* source(): AsyncGenerator<Uint8Array> {
        yield CONTENT;
        throw new Error('no network');
      }
      await expect(Array.fromAsync(compressed(source(), { kind }))).rejects.toThrow('no network');
    });
  });
}

describe('gzip', () => {
  const CONTENT = CONTENTS.gzip;

  it('leaves what is compressed already as it is, between what is not', async () => {
    const noise = randomBytes(3 * (1 << 20) + 4567);
    const mixed = Buffer.concat([
      CONTENT.subarray(0, 1_500_000),
      noise,
      CONTENT.subarray(0, 2_000_000),
      noise.subarray(0, 5000),
    ]);
    const bytes = await packed('gzip', mixed);
    expect(gunzipSync(bytes).equals(mixed)).toBe(true);
    const packedNoise = await packed('gzip', noise);
    expect(gunzipSync(packedNoise).equals(noise)).toBe(true);
    expect(packedNoise.length).toBeLessThan(noise.length * 1.0005);
  });

  it('does not take a block for compressed that begins so', async () => {
    const bytes = Buffer.concat([randomBytes(200_000), Buffer.alloc(1 << 20)]);
    expect((await packed('gzip', bytes)).length).toBeLessThan(250_000);
  });

  it('is one member that says nothing of time, name or system', async () => {
    const bytes = await packed('gzip', CONTENT);
    expect([...bytes.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    expect(gunzipSync(bytes).equals(CONTENT)).toBe(true);
    expect(bytes.readUInt32LE(bytes.length - 4)).toBe(CONTENT.length);
  });
});
