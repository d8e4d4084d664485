// Requests that one client sends before the earlier ones are answered.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../test/testing/eventually.ts';
import { ask } from './testing/ask.ts';
import { blob, emptyRegistry, image, putBlob } from './testing/content.ts';
import {
  failuresOf,
  gatedRegistry,
  limitedServer,
  putLargeIndex,
  rawClient,
  rawGet,
  settledCount,
} from './testing/raw-client.ts';

describe('requests that are sent ahead', () => {
  it('are carried out one after the other, and answered in their order', async () => {
    const inner = emptyRegistry();
    const tags = Array.from({ length: 100 }, (_, at) => `v${at}`);
    const content = image();
    for (const part of content.blobs) await putBlob(inner, 'a', part);
    await inner.putManifest('a', content.manifest, tags);
    let running = 0;
    let most = 0;
    const asked: string[] = [];
    const server = await limitedServer({
      ...inner,
      getManifest: async (repository, reference) => {
        asked.push(reference);
        most = Math.max(most, ++running);
        await delay(0);
        running--;
        return inner.getManifest(repository, reference);
      },
    });
    const client = rawClient(server);
    client.socket.write(
      tags.map((tag) => rawGet(`/v2/a/manifests/${tag}`)).join('') + rawGet('/v2/', 'Connection: close'),
    );
    await once(client.socket, 'close');
    expect(client.received().match(/HTTP\/1\.1 200/g)).toHaveLength(101);
    expect(asked).toEqual(tags);
    expect(most).toBe(1);
  });

  it('with bodies are read in their turn', async () => {
    const registry = emptyRegistry();
    const server = await limitedServer(registry);
    const blobs = Array.from({ length: 20 }, () => blob(Buffer.alloc(50_000, Math.random().toString())));
    const client = rawClient(server);
    for (const { descriptor, bytes } of blobs) {
      client.socket.write(`POST /v2/a/blobs/uploads/?digest=${descriptor.digest} HTTP/1.1\r\nHost: x\r\n`);
      client.socket.write(`Content-Length: ${bytes.length}\r\n\r\n`);
      client.socket.write(bytes);
    }
    client.socket.write(rawGet('/v2/', 'Connection: close'));
    await once(client.socket, 'close');
    expect(client.received().match(/HTTP\/1\.1 201/g)).toHaveLength(20);
  });

  it('wait where answers are not read: nothing is done for them', async () => {
    const inner = emptyRegistry();
    await putLargeIndex(inner, 'large', 500_000);
    let done = 0;
    const server = await limitedServer({
      ...inner,
      getManifest: (...args) => {
        done++;
        return inner.getManifest(...args);
      },
    });
    const { socket } = rawClient(server, { reads: false });
    socket.write(rawGet('/v2/a/manifests/large').repeat(5000));
    await eventually(() => done > 1);
    const before = await settledCount(() => done);
    expect(before).toBeLessThan(100);
    expect((await ask(`${server.url}/v2/a/manifests/large`, 'GET')).status).toBe(200);
  });

  it('are limited in number: the connection that exceeds it is closed, the others go on', async () => {
    const { registry, release } = gatedRegistry();
    const server = await limitedServer(registry, { waitingRequests: 100 });
    const patient = rawClient(server);
    patient.socket.write(rawGet('/v2/a/manifests/v1').repeat(50));
    await eventually(() => registry.asked() === 1);
    const greedy = rawClient(server);
    greedy.socket.write(rawGet('/v2/a/manifests/v1').repeat(200));
    await eventually(greedy.isClosed);
    release();
    await eventually(() => patient.received().match(/HTTP\/1\.1 200/g)?.length === 50);
    // The requests of the closed connection no longer count as waiting.
    const next = rawClient(server);
    next.socket.write(rawGet('/v2/a/manifests/v1').repeat(90));
    await eventually(() => next.received().match(/HTTP\/1\.1 200/g)?.length === 90);
  });

  it('are dropped if their connection ends before', async () => {
    const { registry, release } = gatedRegistry();
    const server = await limitedServer(registry);
    const client = rawClient(server);
    client.socket.write(rawGet('/v2/a/manifests/v1').repeat(50));
    await eventually(() => registry.asked() === 1);
    client.socket.destroy();
    release();
    expect(await settledCount(registry.asked)).toBeLessThan(10);
    expect(failuresOf(server)).toEqual([]);
  });
});
