import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf, parseDigest } from './digest.ts';
import { decodeManifest, rawManifest, successors, verifyBytes } from './manifest.ts';
import * as types from './media-types.ts';

const descriptor = (text: string, mediaType: string = types.OCI_LAYER_GZIP) => ({
  mediaType,
  digest: digestOf(Buffer.from(text)),
  size: text.length,
});
const FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value));
const image = {
  schemaVersion: 2,
  mediaType: types.OCI_MANIFEST,
  config: descriptor('config', types.OCI_CONFIG),
  layers: [
    descriptor('a'),
    { ...descriptor('b', FOREIGN), urls: ['https://example.com/b'] },
    descriptor('cd', FOREIGN),
  ],
};

describe('decoding a manifest', () => {
  it('reads an image; foreign layers are not among its successors', () => {
    const manifest = decodeManifest(rawManifest(bytesOf(image)));
    expect(manifest.kind).toBe('image');
    expect(successors(manifest).blobs.map((blob) => blob.size)).toEqual([6, 1, 2]);
  });

  it('reads an image that does not say its media type', () => {
    const raw = rawManifest(bytesOf({ ...image, mediaType: undefined }));
    expect(raw.mediaType).toBe(types.OCI_MANIFEST);
    expect(decodeManifest(raw)).toMatchObject({ kind: 'image', layers: [{ size: 1 }, { size: 1 }, { size: 2 }] });
  });

  it('reads an index with platforms', () => {
    const platform = { os: 'linux', architecture: 'arm', variant: 'v7' };
    const bytes = bytesOf({ schemaVersion: 2, manifests: [{ ...descriptor('m', types.OCI_MANIFEST), platform }] });
    const manifest = decodeManifest(rawManifest(bytes));
    expect(manifest).toMatchObject({ kind: 'index', mediaType: types.OCI_INDEX });
    expect(successors(manifest).manifests[0]?.platform).toEqual(platform);
  });

  it('takes null for absent, as Go programs write it', () => {
    const manifest = decodeManifest(rawManifest(bytesOf({ ...image, layers: null, annotations: null, subject: null })));
    expect(successors(manifest).blobs).toHaveLength(1);
  });

  it.each([
    ['no JSON', Buffer.from('{'), 'MANIFEST_INVALID'],
    ['broken UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'MANIFEST_INVALID'],
    ['an array', bytesOf([]), 'MANIFEST_INVALID'],
    ['nothing known', bytesOf({}), 'MANIFEST_INVALID'],
    ['image and index in one (CVE-2021-41190)', bytesOf({ ...image, manifests: [] }), 'MANIFEST_INVALID'],
    ['no config', bytesOf({ ...image, config: undefined }), 'MANIFEST_INVALID'],
    ['a bad digest', bytesOf({ ...image, layers: [{ ...descriptor('a'), digest: 'sha256:1' }] }), 'MANIFEST_INVALID'],
    ['a negative size', bytesOf({ ...image, layers: [{ ...descriptor('a'), size: -1 }] }), 'MANIFEST_INVALID'],
    ['schema 1', bytesOf({ schemaVersion: 1, fsLayers: [] }), 'UNSUPPORTED'],
    ['another media type', bytesOf({ ...image, mediaType: 'text/html' }), 'UNSUPPORTED'],
  ])('refuses %s', (_, bytes, code) => {
    expect(() => decodeManifest(rawManifest(bytes))).toThrowError(expect.objectContaining({ code }));
  });

  it('refuses a type that the content contradicts', () => {
    const raw = { ...rawManifest(bytesOf(image)), mediaType: types.DOCKER_MANIFEST };
    expect(() => decodeManifest(raw)).toThrowError(expect.objectContaining({ code: 'MANIFEST_INVALID' }));
  });

  it.each([
    ['an index without its list', { schemaVersion: 2 }, types.OCI_INDEX],
    ['a Docker list that looks like an OCI index', { schemaVersion: 2, manifests: [] }, types.DOCKER_LIST],
  ])('refuses what only the Content-Type says: %s', (_, fields, mediaType) => {
    const raw = rawManifest(bytesOf(fields), mediaType);
    expect(() => decodeManifest(raw)).toThrowError(expect.objectContaining({ code: 'MANIFEST_INVALID' }));
  });

  it('takes an index whose list is null, as Go programs write an empty one', () => {
    const raw = rawManifest(bytesOf({ schemaVersion: 2, manifests: null }));
    expect(decodeManifest(raw)).toMatchObject({ kind: 'index', mediaType: types.OCI_INDEX, manifests: [] });
  });

  it('throws only its own errors, whatever the JSON', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        try {
          decodeManifest(rawManifest(Buffer.from(json)));
        } catch (error) {
          expect(error).toMatchObject({ name: 'ImagesError' });
        }
      }),
    );
  });
});

describe('digests', () => {
  it('are sha256 or sha512 with lower-case hex of full length', () => {
    const digest = digestOf(Buffer.from('x'), 'sha512');
    expect(parseDigest(digest)).toBe(digest);
    for (const bad of [
      '',
      'sha256:',
      `sha256:${'A'.repeat(64)}`,
      `md5:${'a'.repeat(32)}`,
      `sha256:${'a'.repeat(65)}`,
    ]) {
      expect(() => parseDigest(bad)).toThrowError(expect.objectContaining({ code: 'DIGEST_INVALID' }));
    }
  });

  it('verify size and content', () => {
    const bytes = Buffer.from('hello');
    expect(() => verifyBytes(bytes, { digest: digestOf(bytes), size: 5 })).not.toThrow();
    expect(() => verifyBytes(bytes, { digest: digestOf(bytes), size: 6 })).toThrowError(
      expect.objectContaining({ code: 'SIZE_INVALID' }),
    );
    expect(() => verifyBytes(bytes, { digest: digestOf(Buffer.from('other')) })).toThrowError(
      expect.objectContaining({ code: 'DIGEST_INVALID' }),
    );
  });
});
