import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FakeEngine, fakeEngine } from '../../transports/docker-daemon/testing/fake-engine.ts';
import type { DebugEvent } from '../settings.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { registryContainer } from './registry-container.ts';

/** A Docker daemon with this container, and no other one. */
async function daemonWith(world: TemporaryWorld, name: string, container: unknown): Promise<FakeEngine> {
  return await fakeEngine(join(world.path, 'docker.sock'), (path, _, response) => {
    if (path !== `/containers/${name}/json`) response.statusCode = 404;
    response.end(JSON.stringify(path === `/containers/${name}/json` ? container : { message: 'no such container' }));
  });
}

async function addressOf(container: unknown): Promise<string | undefined> {
  await using world = await temporaryWorld();
  await using daemon = await daemonWith(world, 'registry', container);
  const address = await registryContainer(world.settings({ DOCKER_HOST: daemon.host }));
  return address && `${address.secure ? 'https' : 'http'}://${address.host}`;
}

const RUNNING = {
  State: { Running: true },
  NetworkSettings: { IPAddress: '172.17.0.2' },
  Config: { Env: ['PATH=/bin'], ExposedPorts: { '5000/tcp': {} } },
};

describe('the private registry as a container', () => {
  it('is the running one with the name registry, at its own address', async () => {
    expect(await addressOf(RUNNING)).toBe('http://172.17.0.2:5000');
  });

  it.each([
    ['the only one', { Networks: { lab: { IPAddress: '10.1.0.2' } } }, '10.1.0.2'],
    [
      'the first that has an address',
      { IPAddress: '', Networks: { a: { IPAddress: '' }, b: { IPAddress: '10.2.0.2' } } },
      '10.2.0.2',
    ],
    [
      'IPv4 before IPv6',
      { Networks: { a: { GlobalIPv6Address: 'fd00::2' }, b: { IPAddress: '10.2.0.2' } } },
      '10.2.0.2',
    ],
    ['IPv6 alone', { IPAddress: '', GlobalIPv6Address: 'fd00::2', Networks: null }, '[fd00::2]'],
  ])('is at the address of its network: %s', async (_, NetworkSettings, host) => {
    expect(await addressOf({ ...RUNNING, NetworkSettings })).toBe(`http://${host}:5000`);
  });

  it.each([
    [
      'what it was told',
      { Env: ['REGISTRY_HTTP_ADDR=0.0.0.0:80'], ExposedPorts: { '5000/tcp': {} } },
      'http://172.17.0.2',
    ],
    ['told an IPv6 address', { Env: ['REGISTRY_HTTP_ADDR=[::]:5001'] }, 'http://172.17.0.2:5001'],
    ['what its image exposes', { Env: null, ExposedPorts: { '9/udp': {}, '5002/tcp': {} } }, 'http://172.17.0.2:5002'],
    ['registry’s own', {}, 'http://172.17.0.2:5000'],
    ['with a certificate', { Env: ['REGISTRY_HTTP_TLS_CERTIFICATE=/c=d'] }, 'https://172.17.0.2:5000'],
    ['443', { Env: ['REGISTRY_HTTP_TLS_CERTIFICATE=/c', 'REGISTRY_HTTP_ADDR=:443'] }, 'https://172.17.0.2'],
  ])('has the port that its settings say: %s', async (_, Config, url) => {
    expect(await addressOf({ ...RUNNING, Config })).toBe(url);
  });

  it.each([
    ['stands still', { ...RUNNING, State: { Running: false } }],
    [
      'is on the network of the host, without an address of its own',
      { ...RUNNING, NetworkSettings: { IPAddress: '' } },
    ],
    ['is described in another way', {}],
  ])('is not found if it %s', async (_, container) => {
    expect(await addressOf(container)).toBeUndefined();
  });

  it('is not found if there is no container of this name, or no daemon', async () => {
    await using world = await temporaryWorld();
    {
      await using daemon = await daemonWith(world, 'registry2', RUNNING);
      expect(await registryContainer(world.settings({ DOCKER_HOST: daemon.host }))).toBeUndefined();
      expect(world.notes).toEqual([]);
    }
    expect(await registryContainer(world.settings())).toBeUndefined();
    expect(world.notes).toEqual([expect.stringMatching(/^the Docker daemon is left out: /)]);
  });

  it('is looked for with requests that are debug events', async () => {
    await using world = await temporaryWorld();
    await using daemon = await daemonWith(world, 'registry', RUNNING);
    const events: DebugEvent[] = [];
    const onDebug = (event: DebugEvent) => events.push(event);
    await registryContainer(world.settings({ DOCKER_HOST: daemon.host }, { onDebug }));
    expect(events.map(({ topic }) => topic)).toContain('http');
  });

  it('is not waited for when the call is aborted', async () => {
    await using world = await temporaryWorld();
    await using daemon = await daemonWith(world, 'registry', RUNNING);
    const settings = world.settings({ DOCKER_HOST: daemon.host }, { signal: AbortSignal.abort(new Error('enough')) });
    await expect(registryContainer(settings)).rejects.toThrow('enough');
  });
});
