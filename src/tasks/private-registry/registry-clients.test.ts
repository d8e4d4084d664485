import { describe, expect, it } from 'vitest';
import type { CopyEvent } from '../../copy/events.ts';
import { fullReference, parseReference } from '../../oci/reference.ts';
import { startFaultyServer } from '../../registry/client/testing/faulty-server.ts';
import { emptyRegistry, putImage } from '../../server/testing/content.ts';
import { startServer } from '../../server/testing/start.ts';
import type { DebugEvent } from '../settings.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { parseRegistryAddress } from './local-registry.ts';
import { anyHosts, imageHosts, mountSourcesOf, privateRegistryClient } from './registry-clients.ts';

const name = (text: string) => fullReference(parseReference(text));

describe('the private registry', () => {
  it('is asked over plain HTTP, without the proxy', async () => {
    await using world = await temporaryWorld();
    const registry = emptyRegistry();
    const { manifest } = await putImage(registry, 'x/y', '1');
    await using server = await startServer(registry);
    const settings = world.settings({ http_proxy: 'http://127.0.0.1:1', https_proxy: 'http://127.0.0.1:1' });
    const client = await privateRegistryClient(parseRegistryAddress(server.host), settings);
    expect((await client.statManifest('x/y', '1'))?.digest).toBe(manifest.digest);
  });

  it('is asked over HTTPS alone if its address says so', async () => {
    await using world = await temporaryWorld();
    await using server = await startServer(emptyRegistry());
    const client = await privateRegistryClient(parseRegistryAddress(`https://${server.host}`), world.settings());
    await expect(client.statManifest('x/y', '1')).rejects.toThrow();
    expect(server.events).toEqual([]);
  });

  it('is not used as a source of images', async () => {
    await using world = await temporaryWorld();
    await using hosts = await imageHosts(parseRegistryAddress('127.0.0.1:5000'), world.settings());
    expect(() => hosts.registryOf(name('127.0.0.1:5000/x/y:1'))).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('[127.0.0.1:5000/x/y:1]') }),
    );
    hosts.registryOf(name('127.0.0.1:5001/x/y:1'));
  });

  it('is not used as a mirror for images that come into it, but for copies', async () => {
    await using world = await temporaryWorld();
    const there = emptyRegistry();
    await putImage(there, 'x/y', '1');
    await using own = await startServer(emptyRegistry());
    await using mirror = await startServer(there);
    const conf = [own, mirror].map(({ host }) => `[[registry.mirror]]\nlocation = "${host}"\ninsecure = true\n`);
    await world.file('.config/containers/registries.conf', `[[registry]]\nlocation = "quay.invalid"\n${conf.join('')}`);
    const address = parseRegistryAddress(own.host);
    await using hosts = await imageHosts(address, world.settings());
    expect(await hosts.registryOf(name('quay.invalid/x/y:1')).statManifest('x/y', '1')).toBeDefined();
    expect([own.events.length, mirror.events.length > 0]).toEqual([0, true]);
    await using any = await anyHosts(address, world.settings());
    expect(await any.forHost('quay.invalid').statManifest('x/y', '1')).toBeDefined();
    expect(own.events.length).toBeGreaterThan(0);
  });
});

describe('the hosts of images', () => {
  it.each([['imageHosts'], ['anyHosts']])('cause an event for each retry: %s', async (which) => {
    await using world = await temporaryWorld();
    await using server = await startFaultyServer({ manifest: { bytes: Buffer.from('{}'), mediaType: 'x/y' } });
    server.inject(({ nth, url }, response) => {
      // The first request finds out the scheme.
      if (nth !== 1 || !url.includes('manifests')) return false;
      response.writeHead(503, { 'retry-after': '0' }).end();
      return true;
    });
    const events: CopyEvent[] = [];
    const debugged: DebugEvent[] = [];
    const onDebug = (event: DebugEvent) => debugged.push(event);
    const settings = world.settings({}, { onDebug });
    const onEvent = (event: CopyEvent) => events.push(event);
    if (which === 'anyHosts') {
      await using hosts = await anyHosts(undefined, settings, onEvent);
      await hosts
        .forHost(server.host)
        .statManifest('x/y', 'latest')
        .catch(() => undefined);
      await hosts
        .forHost(server.host)
        .statManifest('x/y', 'latest')
        .catch(() => undefined);
    } else {
      await using hosts = await imageHosts(undefined, settings, { onEvent });
      await hosts
        .registryOf(name(`${server.host}/x/y`))
        .statManifest('x/y', 'latest')
        .catch(() => undefined);
      await hosts
        .registryOf(name(`${server.host}/x/y`))
        .statManifest('x/y', 'latest')
        .catch(() => undefined);
    }
    expect(events).toEqual([
      expect.objectContaining({
        type: 'retry',
        what: expect.stringContaining(`${server.host} `),
        why: expect.any(String),
      }),
    ]);
    const hostEvents = debugged.flatMap(({ topic, event }) => (topic === 'hosts' ? [event.type] : [topic]));
    expect(new Set(hostEvents)).toEqual(new Set(['http', 'retry', 'scheme']));
  });
});

it('the repository that a blob was put into is remembered in the cache, if there is one', async () => {
  await using world = await temporaryWorld();
  const digest = (await putImage(emptyRegistry(), 'x/y', '1')).manifest.digest;
  const cached = world.settings({}, { cache: { directory: world.path, program: '1' } });
  await mountSourcesOf('r.io', cached).remember(digest, 'x/y');
  expect(await mountSourcesOf('r.io', cached).of(digest)).toEqual(['x/y']);
  expect(await mountSourcesOf('r.io', cached, 'base').of(digest)).toEqual(['base', 'x/y']);
  expect(await mountSourcesOf('other.io', cached).of(digest)).toEqual([]);
  await mountSourcesOf('r.io', world.settings()).remember(digest, 'x/z');
  expect(await mountSourcesOf('r.io', world.settings()).of(digest)).toEqual([]);
});
