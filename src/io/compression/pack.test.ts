import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { pack } from './pack.ts';

const CONTENT = Buffer.from('a layer, '.repeat(5000));
const MEASURES = { digest: digestOf(CONTENT), size: CONTENT.length };

async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(body));
}

describe('a packed stream', () => {
  it('has digest and size of both forms', async () => {
    const { body, result } = pack(inChunks(CONTENT), { kind: 'gzip' });
    const packed = await bytesOf(body);
    expect(gunzipSync(packed)).toEqual(CONTENT);
    expect(result()).toEqual({ plain: MEASURES, packed: { digest: digestOf(packed), size: packed.length } });
  });

  it('is the bytes themselves if nothing is to be compressed', async () => {
    const { body, result } = pack(inChunks(CONTENT), { kind: 'none' });
    expect(await bytesOf(body)).toEqual(CONTENT);
    expect(result()).toEqual({ plain: MEASURES, packed: MEASURES });
  });

  it('verifies the uncompressed bytes if their digest is known', async () => {
    const good = pack(inChunks(CONTENT), { kind: 'zstd', expected: MEASURES });
    await bytesOf(good.body);
    expect(good.result().plain).toEqual(MEASURES);
    const other = pack(inChunks(CONTENT), { kind: 'zstd', expected: { ...MEASURES, digest: digestOf(Buffer.of(1)) } });
    await expect(bytesOf(other.body)).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
  });
});
