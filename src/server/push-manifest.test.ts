// Pushing manifests over HTTP: end-7a and end-7b.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { MAX_MANIFEST_SIZE, manifestDescriptor, type RawManifest } from '../oci/manifest.ts';
import { DOCKER_SCHEMA1, OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts';
import type { Registry } from '../registry/contract.ts';
import { type Answer, ask } from './testing/ask.ts';
import { emptyRegistry, type Image, image, index, putBlob } from './testing/content.ts';
import { startServer, type TestServer } from './testing/start.ts';

let registry: Registry;
let server: TestServer;

beforeAll(async () => {
  registry = emptyRegistry();
  server = await startServer(registry);
});

afterAll(() => server[Symbol.asyncDispose]());

async function withBlobs(content: Image): Promise<Image> {
  for (const part of content.blobs) await putBlob(registry, 'a/b', part);
  return content;
}

function put(reference: string, manifest: Pick<RawManifest, 'bytes' | 'mediaType'>): Promise<Answer> {
  return ask(`${server.url}/v2/a/b/manifests/${reference}`, 'PUT', {
    body: manifest.bytes,
    headers: { 'Content-Type': manifest.mediaType },
  });
}

async function get(reference: string): Promise<Answer> {
  return ask(`${server.url}/v2/a/b/manifests/${reference}`, 'GET');
}

describe('a manifest', () => {
  it('by tag is pulled by tag and by digest, byte for byte', async () => {
    const { manifest } = await withBlobs(image());
    const answer = await put('v1', manifest);
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({
      location: `/v2/a/b/manifests/${manifest.digest}`,
      'docker-content-digest': manifest.digest,
    });
    for (const reference of ['v1', manifest.digest]) {
      expect((await get(reference)).body).toEqual(Buffer.from(manifest.bytes));
    }
  });

  it.each(['sha256', 'sha512'] as const)('by %s digest is stored', async (algorithm) => {
    const { manifest } = await withBlobs(image({ algorithm }));
    expect((await put(manifest.digest, manifest)).status).toBe(201);
    const answer = await get(manifest.digest);
    expect(answer.headers['docker-content-digest']).toBe(manifest.digest);
    expect(answer.body).toEqual(Buffer.from(manifest.bytes));
  });

  it.each(['sha256', 'sha512'] as const)('by %s digest with tags gets these tags (end-7b)', async (algorithm) => {
    const { manifest } = await withBlobs(image({ algorithm }));
    const answer = await put(`${manifest.digest}?tag=x-${algorithm}&tag=y-${algorithm}`, manifest);
    expect(answer.status).toBe(201);
    expect(answer.headers['oci-tag']).toBe(`x-${algorithm}, y-${algorithm}`);
    expect((await get(`y-${algorithm}`)).headers['docker-content-digest']).toBe(manifest.digest);
  });

  it('moves its tag if it is the one pushed last', async () => {
    const [one, two] = [await withBlobs(image()), await withBlobs(image())];
    await put('moving', one.manifest);
    await put('moving', two.manifest);
    expect((await get('moving')).headers['docker-content-digest']).toBe(two.manifest.digest);
    expect((await get(one.manifest.digest)).status).toBe(200);
  });

  it('with a subject is acknowledged so, even if the subject is missing', async () => {
    const subject = manifestDescriptor(image().manifest);
    const { manifest } = await withBlobs(image({ subject, artifactType: 'application/x' }));
    const answer = await put('signature', manifest);
    expect(answer.status).toBe(201);
    expect(answer.headers['oci-subject']).toBe(subject.digest);
  });

  it('may have parameters in its media type, which are ignored', async () => {
    const { manifest } = await withBlobs(image());
    expect((await put('p', { ...manifest, mediaType: `${OCI_MANIFEST}; charset=utf-8` })).status).toBe(201);
    expect((await get('p')).headers['content-type']).toBe(OCI_MANIFEST);
  });

  it('without a Content-Type has the type that it names itself', async () => {
    const { manifest } = await withBlobs(image());
    await ask(`${server.url}/v2/a/b/manifests/q`, 'PUT', { body: manifest.bytes });
    expect((await get('q')).headers['content-type']).toBe(OCI_MANIFEST);
  });
});

describe('an index', () => {
  it('is taken with one of its children only, or with none', async () => {
    const [here, elsewhere] = [await withBlobs(image()), image()];
    await put(here.manifest.digest, here.manifest);
    const sparse = index([manifestDescriptor(here.manifest), manifestDescriptor(elsewhere.manifest)]);
    expect((await put('sparse', sparse)).status).toBe(201);
    expect((await get('sparse')).headers['content-type']).toBe(OCI_INDEX);
    expect((await put('empty', index([]))).status).toBe(201);
  });
});

describe('a push of a manifest is refused', () => {
  const text = (value: string) => new TextEncoder().encode(value);
  const digest = `sha256:${'0'.repeat(64)}`;

  it.each([
    ['no JSON', '{"schemaVersion": 2', OCI_MANIFEST, 'MANIFEST_INVALID'],
    ['nothing', '', OCI_MANIFEST, 'MANIFEST_INVALID'],
    ['an array', '[]', OCI_MANIFEST, 'MANIFEST_INVALID'],
    ['no config', '{"schemaVersion":2,"layers":[]}', OCI_MANIFEST, 'MANIFEST_INVALID'],
    ['a malformed digest in it', `{"config":{"digest":"sha256:x","size":1}}`, OCI_MANIFEST, 'MANIFEST_INVALID'],
    ['a negative size', `{"config":{"digest":"${digest}","size":-1}}`, OCI_MANIFEST, 'MANIFEST_INVALID'],
    [
      'both kinds at once',
      `{"config":{"digest":"${digest}","size":1},"manifests":[]}`,
      OCI_MANIFEST,
      'MANIFEST_INVALID',
    ],
    ['another type inside', `{"mediaType":"${OCI_INDEX}","manifests":[]}`, OCI_MANIFEST, 'MANIFEST_INVALID'],
    ['an unknown type', '{}', 'application/json', 'MANIFEST_INVALID'],
    ['schema 1', '{"schemaVersion":1}', DOCKER_SCHEMA1[1] ?? '', 'MANIFEST_INVALID'],
    ['UTF-16', '\u0000{\u0000}', OCI_MANIFEST, 'MANIFEST_INVALID'],
  ])('with %s', async (_, body, mediaType, code) => {
    const answer = await put('bad', { bytes: text(body), mediaType });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ code, message: expect.any(String) }] });
    expect((await get('bad')).status).toBe(404);
  });

  it('if its digest is another one', async () => {
    const { manifest } = await withBlobs(image());
    const answer = await put(manifest.digest, { ...manifest, bytes: Buffer.concat([manifest.bytes, text('  ')]) });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ code: 'DIGEST_INVALID' }] });
    expect((await get(manifest.digest)).status).toBe(404);
  });

  it('if its blobs are not there', async () => {
    const answer = await put('blobless', image().manifest);
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ code: 'MANIFEST_BLOB_UNKNOWN' }] });
    expect((await get('blobless')).status).toBe(404);
  });

  it.each([
    ['sha256:baddigeststring', 'DIGEST_INVALID'],
    ['.hidden', 'TAG_INVALID'],
    ['t'.repeat(129), 'TAG_INVALID'],
    [`${digestOf(text('x'))}?tag=-`, 'TAG_INVALID'],
  ])('under the reference %s', async (reference, code) => {
    const answer = await put(reference, image().manifest);
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ code }] });
  });

  it.each([false, true])('if it has more than 4 MiB, streamed: %s', async (streamed) => {
    const answer = await ask(`${server.url}/v2/a/b/manifests/big`, 'PUT', {
      body: Buffer.alloc(MAX_MANIFEST_SIZE + 1, ' '),
      headers: { 'Content-Type': OCI_MANIFEST },
      streamed,
    });
    expect(answer.status).toBe(413);
    expect(answer.json()).toMatchObject({ errors: [{ code: 'MANIFEST_TOO_LARGE' }] });
  });

  it('not if it has just under 4 MiB', async () => {
    const annotations = { filler: 'x'.repeat(MAX_MANIFEST_SIZE - 2000) };
    const { manifest } = await withBlobs(image({ annotations }));
    expect(manifest.size).toBeGreaterThan(4_000_000);
    expect((await put('large', manifest)).status).toBe(201);
  });
});
