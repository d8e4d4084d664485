// Pulling over HTTP: end-1, end-2 and end-3, with ranges and conditions.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OCI_MANIFEST } from '../oci/media-types.ts';
import type { Registry } from '../registry/contract.ts';
import { memoryStore } from '../storage/drivers/staged-store.ts';
import { blobKey } from '../storage/layout/registry-keys.ts';
import { storedRegistry } from '../storage/repositories/stored-registry.ts';
import { ask } from './testing/ask.ts';
import { emptyRegistry, type Image, putImage } from './testing/content.ts';
import { startServer, type TestServer } from './testing/start.ts';

const UNKNOWN = `sha256:${'0'.repeat(64)}`;

let registry: Registry;
let server: TestServer;
let image: Image;
let base: string;

beforeAll(async () => {
  registry = emptyRegistry();
  image = await putImage(registry, 'lib/alpine', '3.20');
  server = await startServer(registry);
  base = `${server.url}/v2/lib/alpine`;
});

afterAll(() => server[Symbol.asyncDispose]());

function layer(): Image['blobs'][number] {
  const [, content] = image.blobs;
  if (!content) throw new Error('the image has no layer');
  return content;
}

describe('the API’s presence (end-1)', () => {
  it('is confirmed by GET /v2/', async () => {
    const answer = await ask(`${server.url}/v2/`, 'GET');
    expect(answer.status).toBe(200);
    expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0');
    expect(answer.json()).toEqual({});
  });
});

describe('pulling manifests (end-3)', () => {
  it.each(['3.20', 'digest'])('GET by %s gives the bytes as they were pushed', async (by) => {
    const reference = by === 'digest' ? image.manifest.digest : by;
    const answer = await ask(`${base}/manifests/${reference}`, 'GET');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(Buffer.from(image.manifest.bytes));
    expect(answer.headers).toMatchObject({
      'content-type': OCI_MANIFEST,
      'content-length': String(image.manifest.size),
      'docker-content-digest': image.manifest.digest,
      etag: `"${image.manifest.digest}"`,
    });
  });

  it('by HEAD says the same without the body', async () => {
    const get = await ask(`${base}/manifests/3.20`, 'GET');
    const head = await ask(`${base}/manifests/3.20`, 'HEAD');
    expect(head.status).toBe(200);
    expect(head.body).toHaveLength(0);
    const { date: _, 'x-request-id': __, ...expected } = get.headers;
    expect(head.headers).toMatchObject(expected);
  });

  it.each(['HEAD', 'GET'])('%s of one that is damaged, as JSON and in size what it was, is 404', async (method) => {
    const store = memoryStore();
    const damaged = storedRegistry(store);
    const { manifest } = await putImage(damaged, 'lib/damaged', '1');
    const text = Buffer.from(manifest.bytes).toString().replace('"schemaVersion":2', '"schemaVersion":3');
    await store.objects.put(blobKey(manifest.digest), Buffer.from(text));
    await using other = await startServer(damaged);
    expect((await ask(`${other.url}/v2/lib/damaged/manifests/1`, method)).status).toBe(404);
    await damaged.putManifest('lib/damaged', manifest, ['1']);
    expect((await ask(`${other.url}/v2/lib/damaged/manifests/1`, method)).status).toBe(200);
  });

  it('works for clients that do not say that they accept the type', async () => {
    const answer = await ask(`${base}/manifests/3.20`, 'GET', {
      headers: { Accept: 'application/vnd.docker.distribution.manifest.v2+json' },
    });
    expect(answer.headers['content-type']).toBe(OCI_MANIFEST);
  });

  it.each(['GET', 'HEAD'])('%s of what is known already is a 304 without a body', async (method) => {
    for (const known of [`"${image.manifest.digest}"`, `W/"x", W/"${image.manifest.digest}"`, '*']) {
      const answer = await ask(`${base}/manifests/3.20`, method, { headers: { 'If-None-Match': known } });
      expect(answer.status).toBe(304);
      expect(answer.body).toHaveLength(0);
      expect(answer.headers.etag).toBe(`"${image.manifest.digest}"`);
    }
  });

  it('sends the manifest to a client that has another one', async () => {
    const answer = await ask(`${base}/manifests/3.20`, 'GET', { headers: { 'If-None-Match': `"${UNKNOWN}"` } });
    expect(answer.status).toBe(200);
  });

  it.each([
    ['an unknown tag', 'lib/alpine/manifests/none', 404, /^MANIFEST_UNKNOWN$/],
    ['an unknown digest', `lib/alpine/manifests/${UNKNOWN}`, 404, /^MANIFEST_UNKNOWN$/],
    ['what cannot be a tag', 'lib/alpine/manifests/.INVALID_MANIFEST_NAME', 404, /^MANIFEST_UNKNOWN$/],
    ['a malformed digest', 'lib/alpine/manifests/sha256:baddigeststring', 400, /^DIGEST_INVALID$/],
    ['an unknown repository', 'nobody/knows/manifests/latest', 404, /^(NAME|MANIFEST)_UNKNOWN$/],
    ['a malformed name', 'Lib/manifests/latest', 400, /^NAME_INVALID$/],
  ])('%s is refused', async (_, path, status, code) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(`${server.url}/v2/${path}`, method);
      expect(answer.status).toBe(status);
      if (method === 'HEAD') expect(answer.body).toHaveLength(0);
      else expect(answer.json()).toMatchObject({ errors: [{ code: expect.stringMatching(code) }] });
    }
  });

  it('a malformed digest is refused with a code also where the question has a body', async () => {
    const answer = await ask(`${base}/manifests/sha256:totallywrong`, 'GET', { body: 'blablabla' });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ code: 'DIGEST_INVALID' }] });
  });

  it('names the host that the manifest was looked up for', async () => {
    const answer = await ask(`${base}/manifests/3.20?ns=docker.io`, 'GET');
    expect(answer.headers['oci-namespace']).toBe('docker.io');
    expect((await ask(`${base}/manifests/3.20`, 'GET')).headers).not.toHaveProperty('oci-namespace');
  });
});

describe('pulling blobs (end-2)', () => {
  it('GET gives the bytes', async () => {
    const answer = await ask(`${base}/blobs/${layer().descriptor.digest}`, 'GET');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(layer().bytes);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '1024',
      'docker-content-digest': layer().descriptor.digest,
      'accept-ranges': 'bytes',
      etag: `"${layer().descriptor.digest}"`,
    });
  });

  it('by HEAD says the same without the body', async () => {
    const get = await ask(`${base}/blobs/${layer().descriptor.digest}`, 'GET');
    const head = await ask(`${base}/blobs/${layer().descriptor.digest}`, 'HEAD', { headers: { Range: 'bytes=0-1' } });
    expect(head.status).toBe(200);
    expect(head.body).toHaveLength(0);
    const { date: _, 'x-request-id': __, ...expected } = get.headers;
    expect(head.headers).toMatchObject(expected);
  });

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=500-899', 500, 900],
    ['bytes=500-', 500, 1024],
    ['bytes=-24', 1000, 1024],
    ['bytes=1000-5000', 1000, 1024],
  ])('Range %s gives that part', async (range, from, to) => {
    const answer = await ask(`${base}/blobs/${layer().descriptor.digest}`, 'GET', { headers: { Range: range } });
    expect(answer.status).toBe(206);
    expect(answer.body).toEqual(Buffer.from(layer().bytes).subarray(from, to));
    expect(answer.headers['content-range']).toBe(`bytes ${from}-${to - 1}/1024`);
    expect(answer.headers['content-length']).toBe(String(to - from));
  });

  it.each(['bytes=1024-', 'bytes=5000-10000', 'bytes=500-0', 'bytes=-0'])(
    'Range %s is a 416 that says the size',
    async (range) => {
      const answer = await ask(`${base}/blobs/${layer().descriptor.digest}`, 'GET', { headers: { Range: range } });
      expect(answer.status).toBe(416);
      expect(answer.headers['content-range']).toBe('bytes */1024');
      expect(answer.json()).toMatchObject({ errors: [{ code: 'RANGE_INVALID' }] });
    },
  );

  it('several ranges are parts of one answer, as long as it says, in the order in which they were asked for', async () => {
    const { descriptor, bytes } = layer();
    const range = 'bytes=1000-1009,0-1,-3';
    const answer = await ask(`${base}/blobs/${descriptor.digest}`, 'GET', { headers: { Range: range } });
    expect(answer.status).toBe(206);
    expect(answer.headers).toMatchObject({ etag: `"${descriptor.digest}"`, 'content-length': `${answer.body.length}` });
    const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(answer.headers['content-type'] ?? '')?.[1];
    const part = (from: number, to: number) =>
      `--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes ${from}-${to - 1}/1024\r\n\r\n` +
      `${Buffer.from(bytes.subarray(from, to)).toString('latin1')}\r\n`;
    const expected = `${part(1000, 1010)}${part(0, 2)}${part(1021, 1024)}--${boundary}--\r\n`;
    expect(answer.body.toString('latin1')).toBe(expected);
  });

  it('a thousand ranges are understood, as partial pulls send them', async () => {
    const ranges = Array.from(
      { length: 500 },
      (_, at) => `${10_000_000_000 + at}-${20_000_000_000 + at},${at * 2}-${at * 2}`,
    );
    const headers = { Range: `bytes=${ranges.join(',')}` };
    const answer = await ask(`${base}/blobs/${layer().descriptor.digest}`, 'GET', { headers });
    expect(answer.status).toBe(206);
    expect(answer.text.match(/Content-Range: /g)).toHaveLength(500);
  });

  it('ranges that are more than the whole, or are not understood, are answered whole', async () => {
    for (const range of ['bytes=0-,0-', 'lines=1-2', 'bytes=x']) {
      const answer = await ask(`${base}/blobs/${layer().descriptor.digest}`, 'GET', { headers: { Range: range } });
      expect(answer.status).toBe(200);
      expect(answer.body).toHaveLength(1024);
    }
  });

  it('a part of another content than the client has is not sent', async () => {
    const { digest } = layer().descriptor;
    const ask1 = (known: string) =>
      ask(`${base}/blobs/${digest}`, 'GET', { headers: { Range: 'bytes=0-1', 'If-Range': known } });
    expect((await ask1(`"${digest}"`)).status).toBe(206);
    expect((await ask1(`"${UNKNOWN}"`)).status).toBe(200);
  });

  it('what is known already is a 304', async () => {
    const { digest } = layer().descriptor;
    const answer = await ask(`${base}/blobs/${digest}`, 'GET', { headers: { 'If-None-Match': `"${digest}"` } });
    expect(answer.status).toBe(304);
    expect(answer.body).toHaveLength(0);
  });

  it.each([
    ['an unknown digest', `lib/alpine/blobs/${UNKNOWN}`, 404, 'BLOB_UNKNOWN'],
    ['a malformed digest', 'lib/alpine/blobs/sha256:short', 400, 'DIGEST_INVALID'],
  ])('%s is refused', async (_, path, status, code) => {
    const answer = await ask(`${server.url}/v2/${path}`, 'GET');
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ errors: [{ code }] });
    expect((await ask(`${server.url}/v2/${path}`, 'HEAD')).status).toBe(status);
  });

  it('of another repository is not there', async () => {
    await putImage(registry, 'lib/other', 'latest');
    const answer = await ask(`${server.url}/v2/lib/other/blobs/${layer().descriptor.digest}`, 'GET');
    expect(answer.status).toBe(404);
  });
});
