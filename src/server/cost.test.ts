// The work that one client can cause: within the limits, and so little that other clients do not notice.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../../test/testing/eventually.ts';
import type { Bytes } from '../io/streams/bytes.ts';
import { rawManifest } from '../oci/manifest.ts';
import { OCI_INDEX } from '../oci/media-types.ts';
import type { Registry } from '../registry/contract.ts';
import { clientOf } from './client-of.ts';
import { defaultLimits, type ServerLimits } from './limits.ts';
import { ask } from './testing/ask.ts';
import { blob, emptyRegistry, image, putBlob, putImage } from './testing/content.ts';
import { startServer, type TestServer } from './testing/start.ts';

async function start(registry: Registry, limits: Partial<ServerLimits> = {}): Promise<TestServer> {
  const server = await startServer(registry, limits);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

interface Client {
  readonly socket: Socket;
  readonly received: () => string;
  readonly isClosed: () => boolean;
}

/** A raw connection. With `reads: false`, it never reads the response. */
function open(server: TestServer, { reads = true } = {}): Client {
  const socket = connect(Number(server.host.split(':')[1]), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const chunks: Buffer[] = [];
  let isClosed = false;
  socket.on('error', () => undefined);
  socket.once('close', () => {
    isClosed = true;
  });
  if (reads) socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { socket, received: () => Buffer.concat(chunks).toString('latin1'), isClosed: () => isClosed };
}

const get = (path: string, ...headers: readonly string[]) =>
  `${['GET', path, 'HTTP/1.1\r\nHost: x'].join(' ')}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`;

const failures = (server: TestServer) => server.events.filter((event) => event.type === 'failure');

/** An index of this size, without children. */
async function putLarge(registry: Registry, tag: string, size: number): Promise<void> {
  const fields = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], annotations: { a: 'x'.repeat(size) } };
  await registry.putManifest('a', rawManifest(Buffer.from(JSON.stringify(fields))), [tag]);
}

describe('requests that are sent ahead', () => {
  it('are carried out one after the other, and answered in their order', async () => {
    const inner = emptyRegistry();
    const tags = Array.from({ length: 300 }, (_, at) => `v${at}`);
    const content = image();
    for (const part of content.blobs) await putBlob(inner, 'a', part);
    await inner.putManifest('a', content.manifest, tags);
    let running = 0;
    let most = 0;
    const asked: string[] = [];
    const server = await start({
      ...inner,
      getManifest: async (repository, reference) => {
        asked.push(reference);
        most = Math.max(most, ++running);
        await delay(0);
        running--;
        return inner.getManifest(repository, reference);
      },
    });
    const client = open(server);
    client.socket.write(tags.map((tag) => get(`/v2/a/manifests/${tag}`)).join('') + get('/v2/', 'Connection: close'));
    await once(client.socket, 'close');
    expect(client.received().match(/HTTP\/1\.1 200/g)).toHaveLength(301);
    expect(asked).toEqual(tags);
    expect(most).toBe(1);
  });

  it('with bodies are read in their turn', async () => {
    const registry = emptyRegistry();
    const server = await start(registry);
    const blobs = Array.from({ length: 20 }, () => blob(Buffer.alloc(50_000, Math.random().toString())));
    const client = open(server);
    for (const { descriptor, bytes } of blobs) {
      client.socket.write(`POST /v2/a/blobs/uploads/?digest=${descriptor.digest} HTTP/1.1\r\nHost: x\r\n`);
      client.socket.write(`Content-Length: ${bytes.length}\r\n\r\n`);
      client.socket.write(bytes);
    }
    client.socket.write(get('/v2/', 'Connection: close'));
    await once(client.socket, 'close');
    expect(client.received().match(/HTTP\/1\.1 201/g)).toHaveLength(20);
  });

  it('wait where answers are not read: nothing is done for them', async () => {
    const inner = emptyRegistry();
    await putLarge(inner, 'large', 500_000);
    let done = 0;
    const server = await start({
      ...inner,
      getManifest: (...args) => {
        done++;
        return inner.getManifest(...args);
      },
    });
    const { socket } = open(server, { reads: false });
    socket.write(get('/v2/a/manifests/large').repeat(5000));
    await eventually(() => done > 1);
    const before = await settled(() => done);
    expect(before).toBeLessThan(100);
    expect((await ask(`${server.url}/v2/a/manifests/large`, 'GET')).status).toBe(200);
  });

  it('are limited in number: the connection that exceeds it is closed, the others go on', async () => {
    const { registry, release } = gated();
    const server = await start(registry, { waitingRequests: 100 });
    const patient = open(server);
    patient.socket.write(get('/v2/a/manifests/v1').repeat(50));
    await eventually(() => registry.asked() === 1);
    const greedy = open(server);
    greedy.socket.write(get('/v2/a/manifests/v1').repeat(200));
    await eventually(greedy.isClosed);
    release();
    await eventually(() => patient.received().match(/HTTP\/1\.1 200/g)?.length === 50);
    // The requests of the closed connection no longer count as waiting.
    const next = open(server);
    next.socket.write(get('/v2/a/manifests/v1').repeat(90));
    await eventually(() => next.received().match(/HTTP\/1\.1 200/g)?.length === 90);
  });

  it('are dropped if their connection ends before', async () => {
    const { registry, release } = gated();
    const server = await start(registry);
    const client = open(server);
    client.socket.write(get('/v2/a/manifests/v1').repeat(50));
    await eventually(() => registry.asked() === 1);
    client.socket.destroy();
    release();
    expect(await settled(registry.asked)).toBeLessThan(10);
    expect(failures(server)).toEqual([]);
  });
});

describe('connections', () => {
  it('are limited in number: for another one the longest idle one is closed, never a busy one', async () => {
    const { registry, release } = gated();
    const server = await start(registry, { connections: 3, connectionsPerClient: 3 });
    const busy = open(server);
    busy.socket.write(get('/v2/a/manifests/v1'));
    await eventually(() => registry.asked() === 1);
    const first = open(server);
    first.socket.write(get('/v2/'));
    await eventually(() => first.received() !== '');
    const second = open(server);
    second.socket.write(get('/v2/'));
    await eventually(() => second.received() !== '');
    const third = open(server);
    third.socket.write(get('/v2/'));
    await eventually(() => third.received() !== '');
    expect([first, second, third].map(({ isClosed }) => isClosed())).toEqual([true, false, false]);
    release();
    await eventually(() => busy.received().startsWith('HTTP/1.1 200'));
  });

  it('that are all busy leave no room for another one', async () => {
    const { registry, release } = gated();
    const server = await start(registry, { connections: 2, connectionsPerClient: 2 });
    const busy = [open(server), open(server)];
    for (const { socket } of busy) socket.write(get('/v2/a/manifests/v1'));
    await eventually(() => registry.asked() === 2);
    await eventually(open(server).isClosed);
    release();
    for (const { received } of busy) await eventually(() => received().startsWith('HTTP/1.1 200'));
    expect((await ask(`${server.url}/v2/`, 'GET')).status).toBe(200);
  });

  it('of one client have a lower limit than all together', () => {
    for (const files of [64, 1024, 4096, 1_048_576]) {
      const { connections, connectionsPerClient } = defaultLimits(files);
      expect(connectionsPerClient).toBeLessThan(connections);
      if (files >= 1024) expect(connections * 3).toBeLessThan(files);
    }
  });

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::7', '2001:db8:1:2'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
  ])('from %s count as those of %s', (remoteAddress, client) => {
    expect(clientOf({ remoteAddress })).toBe(client);
  });

  it.each([
    ['says nothing', ''],
    ['begins a request and trickles', 'GET /v2/ HTTP/1.1\r\n'],
  ])('that %s is ended', async (_, text) => {
    const server = await start(emptyRegistry(), { head: 200 });
    const { socket, isClosed } = open(server);
    socket.write(text);
    const timer = setInterval(() => socket.write('X: y\r\n'), text === '' ? 1e6 : 20);
    onTestFinished(() => clearInterval(timer));
    await eventually(isClosed);
  });

  it('that trickles a body is ended, and what came of the upload is kept', async () => {
    const server = await start(emptyRegistry(), { slow: 200, slowBytes: 1000 });
    const { location } = (await ask(`${server.url}/v2/a/blobs/uploads/`, 'POST')).headers;
    const { socket, isClosed } = open(server);
    socket.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n`);
    const timer = setInterval(() => socket.write('x'), 5);
    onTestFinished(() => clearInterval(timer));
    await eventually(isClosed);
    const status = await ask(`${server.url}${location}`, 'GET');
    expect(Number(/^0-(\d+)$/.exec(String(status.headers.range))?.[1])).toBeGreaterThan(5);
    expect(failures(server)).toEqual([]);
  });

  it('that is slow but gets on is left alone', async () => {
    const inner = emptyRegistry();
    let arrived = 0;
    const counted = async function* (body: Bytes): Bytes {
      for await (const chunk of body) {
        arrived += chunk.length;
        yield chunk;
      }
    };
    const registry: Registry = {
      ...inner,
      openUpload: async (...args) => {
        const upload = await inner.openUpload(...args);
        return { ...upload, append: (body, options) => upload.append(counted(body), options) };
      },
    };
    // The periods in which too few bytes may come pass when the test says so, not while a busy machine carries the bytes.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const server = await start(registry, { slow: 200, slowBytes: 100 });
    const { descriptor, bytes } = blob(Buffer.alloc(3000, 'a'));
    const client = open(server);
    const head = `POST /v2/a/blobs/uploads/?digest=${descriptor.digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n`;
    client.socket.write(head);
    for (let at = 100; at <= bytes.length; at += 100) {
      client.socket.write(bytes.subarray(at - 100, at));
      await eventually(() => arrived === at);
      vi.advanceTimersByTime(200);
    }
    await eventually(() => client.received() !== '');
    expect(client.received()).toMatch(/^HTTP\/1\.1 201 /);
  });

  it('that does not read an answer from memory is ended, too', async () => {
    const registry = emptyRegistry();
    await putLarge(registry, 'large', 4_000_000);
    const server = await start(registry, { idle: 200 });
    const { socket } = open(server, { reads: false });
    socket.write(get('/v2/a/manifests/large').repeat(10));
    await eventually(() => server.events.length > 0);
    const answered = await settled(() => server.events.length);
    expect(answered).toBeLessThan(10);
  });

  it('that reads a byte now and then is ended, too', async () => {
    const registry = emptyRegistry();
    await putLarge(registry, 'large', 4_000_000);
    const server = await start(registry, { slow: 200, slowBytes: 100_000 });
    const { socket, isClosed } = open(server, { reads: false });
    socket.write(get('/v2/a/manifests/large').repeat(10));
    await once(socket, 'readable');
    const timer = setInterval(() => socket.read(1), 5);
    onTestFinished(() => clearInterval(timer));
    // The first answer may be in the system's buffers whole; one that waits for the client is given up.
    await eventually(() => server.events.length > 1);
    expect(await settled(() => server.events.length)).toBeLessThan(10);
    socket.resume();
    await eventually(isClosed);
  });
});

describe('memory', () => {
  it('that slow readers take is bounded: who comes then is asked to come again', async () => {
    const registry = emptyRegistry();
    await putLarge(registry, 'large', 4_000_000);
    await putImage(registry, 'a', 'small');
    const server = await start(registry, { heldBytes: 10_000_000 });
    const slow = [open(server, { reads: false }), open(server, { reads: false })];
    for (const { socket } of slow) socket.write(get('/v2/a/manifests/large').repeat(2));
    await eventually(async () => (await ask(`${server.url}/v2/a/manifests/large`, 'GET')).status === 429);
    const refused = await ask(`${server.url}/v2/a/manifests/large`, 'GET');
    expect(refused.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS' }] });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(`${server.url}/v2/a/manifests/small`, 'GET')).status).toBe(200);
    for (const { socket } of slow) socket.destroy();
    await eventually(async () => (await ask(`${server.url}/v2/a/manifests/large`, 'GET')).status === 200);
  });

  const putOf = (tag: string, sent: number) =>
    `PUT /v2/a/manifests/${tag} HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n${'x'.repeat(sent)}`;

  it('that slow senders of manifests take is bounded, too', async () => {
    const registry = emptyRegistry();
    const { manifest } = await putImage(registry, 'a', 'v1');
    const server = await start(registry, { heldBytes: 8_000_000 });
    let isRefused = false;
    // The machine's load decides which of them is last. The longer the third one waits, the more likely it is that one.
    for (let wait = 50; !isRefused && wait < 10_000; wait *= 2) {
      const clients = [open(server), open(server), open(server)] as const;
      for (const [at, { socket }] of clients.slice(0, 2).entries()) socket.write(putOf(`s${at}`, 3_900_000));
      await delay(wait);
      const [, , third] = clients;
      third.socket.write(putOf('third', 3_900_000));
      await delay(wait);
      isRefused = third.received().startsWith('HTTP/1.1 429');
      if (!isRefused) for (const { socket } of clients) socket.destroy();
    }
    expect(isRefused).toBe(true);
    const small = { body: manifest.bytes, headers: { 'Content-Type': manifest.mediaType } };
    expect((await ask(`${server.url}/v2/a/manifests/v2`, 'PUT', small)).status).toBe(201);
  });

  it('is not held for bytes that are announced and not sent', async () => {
    const server = await start(emptyRegistry(), { heldBytes: 8_000_000 });
    const slow = Array.from({ length: 20 }, () => open(server));
    for (const [at, { socket }] of slow.entries()) socket.write(putOf(`s${at}`, 1));
    await eventually(() => slow.every(({ socket }) => socket.bytesWritten > 0));
    await delay(50);
    const fields = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], annotations: { a: 'x'.repeat(3_900_000) } };
    const large = { body: JSON.stringify(fields), headers: { 'Content-Type': OCI_INDEX } };
    expect((await ask(`${server.url}/v2/a/manifests/large`, 'PUT', large)).status).toBe(201);
    expect(slow.map(({ received }) => received())).toEqual(slow.map(() => ''));
  });
});

describe('a request', () => {
  it('may set only a limited number of tags', async () => {
    const registry = emptyRegistry();
    const { manifest } = await putImage(registry, 'a', 'v1');
    const server = await start(registry, { tags: 20 });
    const put = (count: number) => {
      const tags = Array.from({ length: count }, (_, at) => `tag=t${at}`).join('&');
      const content = { body: manifest.bytes, headers: { 'Content-Type': manifest.mediaType } };
      return ask(`${server.url}/v2/a/manifests/${manifest.digest}?${tags}`, 'PUT', content);
    };
    expect((await put(20)).status).toBe(201);
    expect((await put(21)).json()).toMatchObject({ errors: [{ code: 'TAG_INVALID' }] });
  });

  it('may name only a limited number of descriptors, each counted once', async () => {
    const registry = emptyRegistry();
    const { manifest } = await putImage(registry, 'a', 'v1');
    const server = await start(registry, { descriptors: 50 });
    const put = (digests: readonly string[]) => {
      const manifests = digests.map((digest) => ({ mediaType: manifest.mediaType, digest, size: 1 }));
      const body = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
      return ask(`${server.url}/v2/a/manifests/i`, 'PUT', { body, headers: { 'Content-Type': OCI_INDEX } });
    };
    const many = Array.from({ length: 51 }, (_, at) => `sha256:${at.toString(16).padStart(64, '0')}`);
    expect((await put(many.slice(0, 50))).status).toBe(201);
    expect((await put(new Array<string>(5000).fill(manifest.digest))).status).toBe(201);
    expect((await put(many)).json()).toMatchObject({ errors: [{ code: 'MANIFEST_INVALID' }] });
  });

  it('gets a list of limited size, whatever it asks for, with a link to the rest', async () => {
    const registry = emptyRegistry();
    const { manifest } = await putImage(registry, 'a', 'v1');
    const tags = Array.from({ length: 25 }, (_, at) => `t${at}`);
    await registry.putManifest('a', manifest, tags);
    const server = await start(registry, { page: 10 });
    for (const n of ['', '?n=1000', '?n=11', '?n=999999999999999']) {
      const found: string[] = [];
      let path: string | undefined = `/v2/a/tags/list${n}`;
      while (path) {
        const answer = await ask(`${server.url}${path}`, 'GET');
        const page = (answer.json() as { readonly tags: readonly string[] }).tags;
        expect(page.length).toBeLessThanOrEqual(10);
        found.push(...page);
        path = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
      }
      expect(found).toEqual([...tags, 'v1'].sort());
    }
  });
});

/** Waits until the count no longer changes, and returns it. */
async function settled(count: () => number): Promise<number> {
  for (let before = count(); ; before = count()) {
    await delay(150);
    if (count() === before) return before;
  }
}

/** A registry whose manifest `a:v1` is found only after `release`. */
function gated(): { readonly registry: Registry & { asked(): number }; readonly release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { manifest } = image();
  let count = 0;
  const registry = {
    ...emptyRegistry(),
    asked: () => count,
    getManifest: async () => {
      count++;
      await promise;
      return manifest;
    },
  };
  return { registry, release: resolve };
}
