// Answers with a Content-Encoding: coded as it says, or not at all.
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { rawManifest } from '../../oci/manifest.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import type { Registry } from '../contract.ts';
import { mayOpenAnew } from '../open-anew.ts';
import {
  blob,
  collect,
  digest,
  type FaultyRegistry,
  failure,
  faultyForEach,
  index,
} from './testing/faulty-registry.ts';
import type { Fault } from './testing/faulty-server.ts';

let { server, registry } = {} as FaultyRegistry;
faultyForEach((faulty) => ({ server, registry } = faulty));

const CODINGS: readonly (readonly [string, (bytes: Uint8Array) => Buffer])[] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['identity, GZIP', gzipSync],
  ['br, gzip', (bytes) => gzipSync(brotliCompressSync(bytes))],
];

/** Compressible, so that each coding is shorter; and longer than what is held in memory (coded-blobs.ts). */
const text = Buffer.from('layer after layer '.repeat(60_000));

describe('a Content-Encoding', () => {
  const coded =
    (coding: string, bytes: Uint8Array, told = true): Fault =>
    (request, response) => {
      response.setHeader('content-encoding', coding);
      if (told) response.setHeader('content-length', bytes.length);
      response.writeHead(200, {
        'content-type': request.url.includes('manifests') ? OCI_INDEX : 'application/octet-stream',
      });
      response.end(request.method === 'HEAD' ? undefined : bytes);
      return true;
    };
  const read = async (from: Registry, wanted: Buffer, start = 0) =>
    collect((await from.getBlob('app', digestOf(wanted), { size: wanted.length, from: start, opensAnew: true })).body);

  it.each(CODINGS)('%s of a manifest is decoded; one that is only claimed is ignored', async (coding, encode) => {
    for (const bytes of [encode(index), index]) {
      server.inject(coded(coding, bytes));
      expect(await registry.getManifest('app', 'latest')).toEqual(rawManifest(index));
      expect(await registry.getManifest('app', digestOf(index))).toEqual(rawManifest(index));
    }
  });

  it.each(CODINGS)('%s of a blob is decoded; one that is only claimed is ignored', async (coding, encode) => {
    for (const wanted of [index, text]) {
      for (const bytes of [encode(wanted), wanted]) {
        server.inject(coded(coding, bytes));
        expect((await read(registry, wanted)).equals(wanted)).toBe(true);
        expect((await read(registry, wanted, 7)).equals(wanted.subarray(7))).toBe(true);
      }
    }
  });

  it('is not confused with the compression of a layer', async () => {
    const layer = gzipSync(blob);
    for (const bytes of [layer, gzipSync(layer)]) {
      server.inject(coded('gzip', bytes));
      expect((await read(registry, layer)).equals(layer)).toBe(true);
    }
  });

  it('without a length is first believed, then ignored by the next attempt', async () => {
    server.inject(coded('gzip', gzipSync(text), false));
    expect((await read(registry, text)).equals(text)).toBe(true);
    const layer = gzipSync(Buffer.concat([blob, blob, blob]));
    server.inject(coded('gzip', layer, false));
    const error = await failure(read(registry, layer));
    expect(error.message).toContain('Content-Encoding gzip');
    expect(mayOpenAnew(error)).toBe(true);
    expect((await read(registry, layer)).equals(layer)).toBe(true);
    const other = gzipSync(Buffer.concat([blob, blob, blob, text]));
    server.inject(coded('gzip', other, false));
    const { body } = await registry.getBlob('app', digestOf(other), { size: other.length });
    expect((await collect(body)).equals(other)).toBe(true);
  });

  it('of bytes that are wrong either way is named in the error after few attempts', async () => {
    server.inject(coded('gzip', gzipSync(text)));
    const other = Buffer.from(text).fill('x', 5, 6);
    const errors = [await failure(read(registry, other)), await failure(read(registry, other))];
    expect(errors.map(mayOpenAnew)).toEqual([true, false]);
    expect(errors[0]?.message).toContain('Content-Encoding gzip');
    server.inject(coded('rot13', Buffer.from('vaqrk')));
    const manifest = await failure(registry.getManifest('app', 'latest'));
    expect(manifest.message).toContain('rot13');
    expect(`${manifest.message} ${manifest.hint}`).not.toMatch(/damage/i);
  });

  it('does not keep a blob that breaks off from being continued', async () => {
    const bytes = gzipSync(blob);
    server.inject((request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bytes.length });
      if (request.nth > 0) response.end(bytes);
      else response.write(bytes.subarray(0, 300_000), () => response.destroy());
      return true;
    });
    const { body } = await registry.getBlob('app', digest, { size: blob.length });
    expect((await collect(body)).equals(blob)).toBe(true);
    expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined, undefined]);
  });

  it('of a blob whose length nobody knows is BAD_ANSWER at once', async () => {
    const bytes = gzipSync(blob);
    server.inject((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bytes.length });
      response.end(bytes);
      return true;
    });
    const error = await failure(registry.getBlob('app', digest));
    expect(error).toMatchObject({ code: 'BAD_ANSWER', message: expect.stringContaining('does not say how long') });
    expect(server.requests).toHaveLength(1);
  });

  it('of lists and of error answers is decoded', async () => {
    server.inject((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' });
      response.end(gzipSync(JSON.stringify({ tags: ['a'] })));
      return true;
    });
    expect(await Array.fromAsync(registry.tags('app'))).toEqual(['a']);
    server.inject((_request, response) => {
      response.writeHead(404, { 'content-encoding': 'br' });
      response.end(brotliCompressSync(JSON.stringify({ errors: [{ code: 'NAME_UNKNOWN', message: 'gone away' }] })));
      return true;
    });
    expect((await failure(registry.getManifest('app', 'latest'))).message).toContain('gone away');
  });
});
