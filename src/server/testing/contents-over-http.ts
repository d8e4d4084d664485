// What is pushed, and asked for, of every kind of content, over HTTP and a store in memory: for the tests of a file.
import { Agent } from 'node:http';
import { afterAll, beforeAll, expect } from 'vitest';
import { type DigestAlgorithm, digestAlgorithm, digestOf } from '../../oci/digest.ts';
import type { RawManifest } from '../../oci/manifest.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { registryStore } from '../../storage/registry-store.ts';
import { type Answer, ask, type Question } from './ask.ts';
import type { Content } from './every-kind.ts';
import { startServer, type TestServer } from './start.ts';

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

export async function push(name: string, content: Content): Promise<string> {
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

export async function expectThere(repository: string, content: Content): Promise<void> {
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

export function rootOf({ manifests }: Content): RawManifest {
  const root = manifests.at(-1);
  if (!root) throw new Error('content has no manifest');
  return root;
}

export function blobDigests(content: Content): ReadonlySet<string> {
  const algorithm: DigestAlgorithm = digestAlgorithm(rootOf(content).digest);
  return new Set(content.blobs.map((bytes) => digestOf(bytes, algorithm)));
}

function call(repository: string, method: string, path: string, question: Question = {}): Promise<Answer> {
  return ask(`${server.url}/v2/${repository}/${path}`, method, { agent, ...question });
}

export async function status(repository: string, method: string, path: string): Promise<number> {
  return (await call(repository, method, path)).status;
}
