// Deletion over HTTP: end-9 and end-10.
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Registry } from '../registry/contract.ts';
import { type Answer, ask } from './testing/ask.ts';
import { emptyRegistry, type Image, putImage } from './testing/content.ts';
import { startServer } from './testing/start.ts';

const UNKNOWN = `sha256:${'0'.repeat(64)}`;

let registry: Registry;
let image: Image;
let call: (method: string, path: string) => Promise<Answer>;

beforeEach(async () => {
  registry = emptyRegistry();
  image = await putImage(registry, 'a/b', 'one');
  await registry.putManifest('a/b', image.manifest, ['two']);
  const server = await startServer(registry);
  onTestFinished(() => server[Symbol.asyncDispose]());
  call = (method, path) => ask(`${server.url}/v2/${path}`, method);
});

describe('deleting manifests (end-9)', () => {
  it('by tag removes the tag alone', async () => {
    expect((await call('DELETE', 'a/b/manifests/one')).status).toBe(202);
    expect((await call('GET', 'a/b/manifests/one')).status).toBe(404);
    expect((await call('GET', 'a/b/manifests/two')).status).toBe(200);
    expect((await call('GET', `a/b/manifests/${image.manifest.digest}`)).status).toBe(200);
  });

  it('by digest removes the manifest with all its tags', async () => {
    expect((await call('DELETE', `a/b/manifests/${image.manifest.digest}`)).status).toBe(202);
    for (const reference of ['one', 'two', image.manifest.digest]) {
      expect((await call('GET', `a/b/manifests/${reference}`)).status).toBe(404);
    }
    expect((await call('GET', 'a/b/tags/list')).status).toBe(200);
  });
});

describe('deleting blobs (end-10)', () => {
  it('removes a blob from its repository', async () => {
    const digest = image.blobs[1]?.descriptor.digest;
    expect((await call('DELETE', `a/b/blobs/${digest}`)).status).toBe(202);
    expect((await call('GET', `a/b/blobs/${digest}`)).status).toBe(404);
  });
});

it.each([
  ['a/b/manifests/none', 404, /^MANIFEST_UNKNOWN$/],
  [`a/b/manifests/${UNKNOWN}`, 404, /^MANIFEST_UNKNOWN$/],
  [`nobody/manifests/${UNKNOWN}`, 404, /^(NAME|MANIFEST)_UNKNOWN$/],
  [`a/b/blobs/${UNKNOWN}`, 404, /^BLOB_UNKNOWN$/],
  ['a/b/manifests/.x', 400, /^TAG_INVALID$/],
  ['a/b/manifests/sha256:x', 400, /^DIGEST_INVALID$/],
  ['a/b/blobs/x', 400, /^DIGEST_INVALID$/],
  ['A/manifests/x', 400, /^NAME_INVALID$/],
])('DELETE %s is refused', async (path, status, code) => {
  const answer = await call('DELETE', path);
  expect(answer.status).toBe(status);
  expect(answer.json()).toMatchObject({ errors: [{ code: expect.stringMatching(code) }] });
});
