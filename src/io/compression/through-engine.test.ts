import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { randomBytes } from '../../../test/fixtures/random.ts';
import { eventually } from '../../../test/testing/eventually.ts';
import { decodeStream } from '../http/content-coding.ts';
import type { Bytes } from '../streams/bytes.ts';
import { decompressed } from './decompress.ts';

/** A body that sends all but the last ten bytes at once, and those after `speak`. */
function silent(bytes: Uint8Array): {
  body: Bytes;
  readonly isWaitedFor: boolean;
  readonly isClosed: boolean;
  speak(): void;
} {
  const speaking = Promise.withResolvers<void>();
  const state = { isWaitedFor: false, isClosed: false };
  async function* chunks() {
    try {
      yield bytes.subarray(0, -10);
      state.isWaitedFor = true;
      await speaking.promise;
      yield bytes.subarray(-10);
    } finally {
      state.isClosed = true;
    }
  }
  return {
    body: chunks(),
    get isWaitedFor() {
      return state.isWaitedFor;
    },
    get isClosed() {
      return state.isClosed;
    },
    speak: () => speaking.resolve(),
  };
}

/** Incompressible: MUCH is more than the decoder buffers, LITTLE is so much that the engine must give output before it takes the rest. */
const [MUCH, LITTLE] = [randomBytes('through an engine', 600_000), randomBytes('through an engine', 39_000)];

describe.each([
  ['gzip', (body: Bytes) => decompressed(body), gzipSync, MUCH],
  ['zstd', (body: Bytes) => decompressed(body), zstdCompressSync, MUCH],
  ['Content-Encoding gzip', (body: Bytes) => decodeStream(body, ['gzip']), gzipSync, LITTLE],
  ['Content-Encoding br', (body: Bytes) => decodeStream(body, ['br']), brotliCompressSync, LITTLE],
] as const)('a decoded stream of %s', (_, decode, encode, plain) => {
  it('that is left does not wait for bytes that have not come, and closes its body when they do', async () => {
    const source = silent(encode(plain));
    let read = 0;
    for await (const chunk of decode(source.body)) {
      read += chunk.length;
      if (read < 32_768) continue;
      await eventually(() => source.isWaitedFor);
      break;
    }
    expect(source.isClosed).toBe(false);
    source.speak();
    await eventually(() => source.isClosed);
  });

  it('has all bytes of its body', async () => {
    const source = silent(encode(plain));
    source.speak();
    expect(Buffer.concat(await Array.fromAsync(decode(source.body))).equals(Buffer.from(plain))).toBe(true);
    expect(source.isClosed).toBe(true);
  });
});
