// How many connections one client may have, and how long a slow one is waited for.
import { once } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../../test/testing/eventually.ts';
import type { Bytes } from '../io/streams/bytes.ts';
import type { Registry } from '../registry/contract.ts';
import { clientOf } from './client-of.ts';
import { defaultLimits } from './limits.ts';
import { ask } from './testing/ask.ts';
import { blob, emptyRegistry } from './testing/content.ts';
import {
  failuresOf,
  gatedRegistry,
  limitedServer,
  putLargeIndex,
  rawClient,
  rawGet,
  settledCount,
} from './testing/raw-client.ts';

describe('connections', () => {
  it('are limited in number: for another one the longest idle one is closed, never a busy one', async () => {
    const { registry, release } = gatedRegistry();
    const server = await limitedServer(registry, { connections: 3, connectionsPerClient: 3 });
    const busy = rawClient(server);
    busy.socket.write(rawGet('/v2/a/manifests/v1'));
    await eventually(() => registry.asked() === 1);
    const first = rawClient(server);
    first.socket.write(rawGet('/v2/'));
    await eventually(() => first.received() !== '');
    const second = rawClient(server);
    second.socket.write(rawGet('/v2/'));
    await eventually(() => second.received() !== '');
    const third = rawClient(server);
    third.socket.write(rawGet('/v2/'));
    await eventually(() => third.received() !== '');
    expect([first, second, third].map(({ isClosed }) => isClosed())).toEqual([true, false, false]);
    release();
    await eventually(() => busy.received().startsWith('HTTP/1.1 200'));
  });

  it('that are all busy leave no room for another one', async () => {
    const { registry, release } = gatedRegistry();
    const server = await limitedServer(registry, { connections: 2, connectionsPerClient: 2 });
    const busy = [rawClient(server), rawClient(server)];
    for (const { socket } of busy) socket.write(rawGet('/v2/a/manifests/v1'));
    await eventually(() => registry.asked() === 2);
    await eventually(rawClient(server).isClosed);
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
    const server = await limitedServer(emptyRegistry(), { head: 60 });
    const { socket, isClosed } = rawClient(server);
    socket.write(text);
    const timer = setInterval(() => socket.write('X: y\r\n'), text === '' ? 1e6 : 20);
    onTestFinished(() => clearInterval(timer));
    await eventually(isClosed);
  });

  it('that trickles a body is ended, and what came of the upload is kept', async () => {
    const server = await limitedServer(emptyRegistry(), { slow: 200, slowBytes: 1000 });
    const { location } = (await ask(`${server.url}/v2/a/blobs/uploads/`, 'POST')).headers;
    const { socket, isClosed } = rawClient(server);
    socket.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n`);
    const timer = setInterval(() => socket.write('x'), 5);
    onTestFinished(() => clearInterval(timer));
    await eventually(isClosed);
    const status = await ask(`${server.url}${location}`, 'GET');
    expect(Number(/^0-(\d+)$/.exec(String(status.headers.range))?.[1])).toBeGreaterThan(5);
    expect(failuresOf(server)).toEqual([]);
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
    const server = await limitedServer(registry, { slow: 200, slowBytes: 100 });
    const { descriptor, bytes } = blob(Buffer.alloc(3000, 'a'));
    const client = rawClient(server);
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
    await putLargeIndex(registry, 'large', 4_000_000);
    const server = await limitedServer(registry, { idle: 60 });
    const { socket } = rawClient(server, { reads: false });
    socket.write(rawGet('/v2/a/manifests/large').repeat(10));
    await eventually(() => server.events.length > 0);
    const answered = await settledCount(() => server.events.length);
    expect(answered).toBeLessThan(10);
  });

  it('that reads a byte now and then is ended, too', async () => {
    const registry = emptyRegistry();
    await putLargeIndex(registry, 'large', 4_000_000);
    const server = await limitedServer(registry, { slow: 60, slowBytes: 100_000 });
    const { socket, isClosed } = rawClient(server, { reads: false });
    socket.write(rawGet('/v2/a/manifests/large').repeat(10));
    await once(socket, 'readable');
    const timer = setInterval(() => socket.read(1), 5);
    onTestFinished(() => clearInterval(timer));
    // The first answer may be in the system's buffers whole; one that waits for the client is given up.
    await eventually(() => server.events.length > 1);
    expect(await settledCount(() => server.events.length)).toBeLessThan(10);
    socket.resume();
    await eventually(isClosed);
  });
});
