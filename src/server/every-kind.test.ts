// Every kind of content that the specifications allow, over HTTP and a store in memory: pushed, listed, pulled, deleted, in the order of the official
// conformance suite (distribution-spec, `conformance/`).
import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DigestAlgorithm, digestAlgorithm, digestOf } from '../oci/digest.ts';
import type { RawManifest } from '../oci/manifest.ts';
import { memoryStore } from '../storage/drivers/staged-store.ts';
import { registryStore } from '../storage/registry-store.ts';
import { type Answer, ask, type Question } from './testing/ask.ts';
import { type Content, EVERY_KIND } from './testing/every-kind.ts';
import { startServer, type TestServer } from './testing/start.ts';

let server: TestServer;
/** One connection for all requests: opening a thousand takes longer than all else. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  server = await startServer(registryStore(memoryStore()).registry);
});

afterAll(async () => {
  agent.destroy();
  await server[Symbol.asyncDispose]();
  expect(server.events.filter(({ type }) => type === 'failure')).toEqual([]);
});

describe.each(Object.entries(EVERY_KIND))('a repository with %s', (name, make) => {
  it('can be pushed, listed, pulled and deleted', async () => {
    const content = make();
    const repository = await push(name, content);
    await expectThere(repository, content);
    const root = rootOf(content);
    expect(await status(repository, 'DELETE', 'manifests/latest')).toBe(202);
    expect(await status(repository, 'HEAD', 'manifests/latest')).toBe(404);
    for (const { digest } of [...content.manifests].reverse()) {
      expect(await status(repository, 'HEAD', `manifests/${digest}`)).toBe(200);
      expect(await status(repository, 'DELETE', `manifests/${digest}`)).toBe(202);
      expect(await status(repository, 'HEAD', `manifests/${digest}`)).toBe(404);
    }
    for (const digest of blobDigests(content)) {
      expect(await status(repository, 'DELETE', `blobs/${digest}`)).toBe(202);
      expect(await status(repository, 'HEAD', `blobs/${digest}`)).toBe(404);
    }
    expect(await status(repository, 'GET', `manifests/${root.digest}`)).toBe(404);
  });
});

/** What is large in one way is large in another: one look at it is enough. */
const SMALL = Object.entries(EVERY_KIND).filter(([name]) => !name.includes('MiB'));

describe.each(SMALL)('a repository with %s', (name, make) => {
  it('can be deleted blobs first, and pushed again', async () => {
    const content = make();
    const repository = await push(`${name} again`, content);
    for (const digest of blobDigests(content)) expect(await status(repository, 'DELETE', `blobs/${digest}`)).toBe(202);
    for (const { digest } of content.manifests) {
      expect(await status(repository, 'DELETE', `manifests/${digest}`)).toBe(202);
    }
    expect(await status(repository, 'HEAD', 'manifests/latest')).toBe(404);
    await push(`${name} again`, content);
    await expectThere(repository, content);
  });
});

async function push(name: string, content: Content): Promise<string> {
  const repository = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const algorithm = digestAlgorithm(rootOf(content).digest);
  for (const bytes of content.blobs) {
    const query = `?digest=${digestOf(bytes, algorithm)}`;
    expect((await call(repository, 'POST', `blobs/uploads/${query}`, { body: bytes })).status).toBe(201);
  }
  for (const manifest of content.manifests) await put(repository, manifest, manifest.digest);
  // A manifest that is pushed by tag alone gets a sha256 digest.
  const { digest } = rootOf(content);
  await put(repository, rootOf(content), algorithm === 'sha256' ? 'latest' : `${digest}?tag=latest`);
  return repository;
}

async function put(repository: string, manifest: RawManifest, reference: string): Promise<void> {
  const headers = { 'Content-Type': manifest.mediaType };
  const answer = await call(repository, 'PUT', `manifests/${reference}`, { body: manifest.bytes, headers });
  expect(answer.status).toBe(201);
  const subject = JSON.parse(Buffer.from(manifest.bytes).toString()).subject?.digest;
  expect(answer.headers['oci-subject']).toBe(subject);
  expectManifest(await ask(`${server.url}${answer.headers.location}`, 'GET', { agent }), manifest);
}

async function expectThere(repository: string, content: Content): Promise<void> {
  expect((await call(repository, 'GET', 'tags/list')).json()).toEqual({ name: repository, tags: ['latest'] });
  const root = rootOf(content);
  for (const method of ['HEAD', 'GET']) {
    expectManifest(await call(repository, method, 'manifests/latest'), root, method);
    for (const manifest of content.manifests) {
      expectManifest(await call(repository, method, `manifests/${manifest.digest}`), manifest, method);
    }
    for (const bytes of content.blobs) {
      const digest = digestOf(bytes, digestAlgorithm(root.digest));
      const answer = await call(repository, method, `blobs/${digest}`);
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        'content-length': String(bytes.length),
        'docker-content-digest': digest,
      });
      expect(answer.body.equals(method === 'HEAD' ? Buffer.alloc(0) : bytes)).toBe(true);
    }
  }
}

function expectManifest(answer: Answer, manifest: RawManifest, method = 'GET'): void {
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': manifest.mediaType,
    'content-length': String(manifest.size),
    'docker-content-digest': manifest.digest,
  });
  expect(Buffer.compare(answer.body, method === 'HEAD' ? Buffer.alloc(0) : manifest.bytes)).toBe(0);
}

function rootOf({ manifests }: Content): RawManifest {
  const root = manifests.at(-1);
  if (!root) throw new Error('content has no manifest');
  return root;
}

function blobDigests(content: Content): ReadonlySet<string> {
  const algorithm: DigestAlgorithm = digestAlgorithm(rootOf(content).digest);
  return new Set(content.blobs.map((bytes) => digestOf(bytes, algorithm)));
}

function call(repository: string, method: string, path: string, question: Question = {}): Promise<Answer> {
  return ask(`${server.url}/v2/${repository}/${path}`, method, { agent, ...question });
}

async function status(repository: string, method: string, path: string): Promise<number> {
  return (await call(repository, method, path)).status;
}
