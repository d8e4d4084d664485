// Unfinished uploads: their limit, and the fate of abandoned ones.
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import type { Registry, Upload } from '../registry/contract.ts';
import type { ServerLimits } from './limits.ts';
import { type Answer, ask } from './testing/ask.ts';
import { blob, emptyRegistry } from './testing/content.ts';
import { startServer, type TestServer } from './testing/start.ts';
import { createUnfinishedUploads } from './unfinished-uploads.ts';

const HOUR = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
});

async function start(limits: Partial<ServerLimits>, registry: Registry = emptyRegistry()): Promise<TestServer> {
  const server = await startServer(registry, limits);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

const begin = (server: TestServer, repository = 'a') => ask(`${server.url}/v2/${repository}/blobs/uploads/`, 'POST');
const at = (server: TestServer, begun: Answer) => `${server.url}${begun.headers.location}`;

describe('uploads', () => {
  it('are limited in number: one must end, in any way, before another one begins', async () => {
    const server = await start({ uploads: 3 });
    const { bytes, descriptor } = blob();
    const wrong = digestOf(Buffer.from('wrong'));
    for (const end of [
      (url: string) => ask(url, 'DELETE'),
      (url: string) => ask(`${url}?digest=${descriptor.digest}`, 'PUT', { body: bytes }),
      (url: string) => ask(`${url}?digest=${wrong}`, 'PUT', { body: bytes }),
    ]) {
      const begun = [await begin(server), await begin(server, 'b'), await begin(server)];
      expect(begun.map(({ status }) => status)).toEqual([202, 202, 202]);
      const refused = await begin(server);
      expect(refused.status).toBe(429);
      expect(refused.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS' }] });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      for (const answer of begun) await end(at(server, answer));
    }
    expect(server.events.filter(({ type }) => type === 'failure')).toEqual([]);
  });

  it('of one request count only while it runs', async () => {
    const server = await start({ uploads: 1 });
    for (let count = 0; count < 3; count++) {
      const { bytes, descriptor } = blob();
      const url = `${server.url}/v2/a/blobs/uploads/?digest=`;
      expect((await ask(`${url}${descriptor.digest}`, 'POST', { body: bytes })).status).toBe(201);
      expect((await ask(`${url}${digestOf(Buffer.from('wrong'))}`, 'POST', { body: bytes })).status).toBe(400);
    }
    const [one, other] = await Promise.all([begin(server), begin(server)]);
    expect([one.status, other.status].sort()).toEqual([202, 429]);
  });

  it('of one client are limited in number, and do not keep others out', async () => {
    const registry = emptyRegistry();
    const limits = { uploads: 100, uploadsPerClient: 2, uploadAge: HOUR, uploadAgeInNeed: HOUR };
    const unfinished = createUnfinishedUploads({ registry, isActive: () => false, limits });
    const open = async (client: string): Promise<Upload> =>
      unfinished.begin(client, 'a', () => registry.openUpload('a'));
    const first = await open('10.0.0.1');
    await open('10.0.0.1');
    await expect(open('10.0.0.1')).rejects.toMatchObject({ code: 'TOOMANYREQUESTS' });
    await open('10.0.0.2');
    unfinished.ended({ repository: 'a', id: first.id });
    await open('10.0.0.1');
  });

  it.each([
    ['the store refuses', new ImagesError('READ_ONLY', 'it cannot be written to'), undefined],
    ['somebody else holds', new DOMException('too late', 'TimeoutError'), undefined],
    ['a bug keeps', new TypeError('a bug'), TypeError],
  ])('that cannot be discarded because %s keep nobody out, unless that is a bug', async (_, failure, thrown) => {
    const inner = emptyRegistry();
    const registry: Registry = {
      ...inner,
      openUpload: async (repository, id, options) => {
        if (id !== undefined) throw failure;
        return await inner.openUpload(repository, id, options);
      },
    };
    const limits = { uploads: 1, uploadsPerClient: 1, uploadAge: HOUR, uploadAgeInNeed: HOUR };
    const unfinished = createUnfinishedUploads({ registry, isActive: () => false, limits });
    const begin = () => unfinished.begin('10.0.0.1', 'a', () => registry.openUpload('a'));
    await begin();
    vi.setSystemTime(Date.now() + 2 * HOUR);
    if (thrown) await expect(begin()).rejects.toThrow(thrown);
    else expect(await begin()).toBeDefined();
  });

  it('that nobody continues are discarded when another one is begun', async () => {
    const server = await start({ uploadAge: HOUR });
    const old = await begin(server);
    const used = await begin(server);
    vi.setSystemTime(Date.now() + 0.7 * HOUR);
    await ask(at(server, used), 'PATCH', { body: 'x' });
    vi.setSystemTime(Date.now() + 0.4 * HOUR);
    await begin(server);
    expect((await ask(at(server, old), 'GET')).status).toBe(404);
    expect((await ask(at(server, used), 'GET')).headers.range).toBe('0-0');
  });

  it('that were not used for a while make room if there are too many', async () => {
    const server = await start({ uploadsPerClient: 2, uploadAgeInNeed: 60_000 });
    const [first, second] = [await begin(server), await begin(server)];
    expect((await begin(server)).status).toBe(429);
    vi.setSystemTime(Date.now() + 61_000);
    expect((await begin(server)).status).toBe(202);
    expect((await ask(at(server, first), 'GET')).status).toBe(404);
    expect((await ask(at(server, second), 'GET')).status).toBe(204);
  });

  it('that were not used for a while make room if the disk is full', async () => {
    const inner = emptyRegistry();
    let isFull = false;
    const registry: Registry = {
      ...inner,
      openUpload: async (...args) => {
        const upload = await inner.openUpload(...args);
        if (!isFull) return upload;
        return { ...upload, append: () => Promise.reject(new ImagesError('NO_SPACE', 'no space left [/x]')) };
      },
    };
    const server = await start({}, registry);
    const [old, fresh] = [await begin(server), await begin(server)];
    vi.setSystemTime(Date.now() + HOUR);
    isFull = true;
    const refused = await ask(at(server, fresh), 'PATCH', { body: 'x' });
    expect(refused.status).toBe(507);
    expect(server.events.filter(({ type }) => type === 'failure')).toHaveLength(1);
    expect((await ask(at(server, old), 'GET')).status).toBe(404);
    expect((await ask(at(server, fresh), 'GET')).status).toBe(204);
  });
});
