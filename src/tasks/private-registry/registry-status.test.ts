import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { image, putImage } from '../../server/testing/content.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { announceRegistry } from './registry-state.ts';
import { registryStatus } from './registry-status.ts';
import { serveRegistry } from './serve-registry.ts';

it('the status of a store that does not exist is empty, and asking creates nothing', async () => {
  await using world = await temporaryWorld();
  const data = join(world.path, 'share/images');
  expect(await registryStatus(world.settings())).toEqual({
    data,
    repositories: 0,
    tags: 0,
    blobs: 0,
    size: 0,
    damaged: 0,
  });
  expect(await readdir(world.path)).toEqual([]);
});

it('the status of a store says what it has, each blob once', async () => {
  await using world = await temporaryWorld();
  const data = join(world.path, 'data');
  const { registry } = await openEmbeddedStore(data);
  const content = image();
  for (const [path, tag] of [
    ['x/y', '1'],
    ['x/y', '2'],
    ['z', '1'],
  ] as const)
    await putImage(registry, path, tag, content);
  const size = [...content.blobs.map(({ bytes }) => bytes), content.manifest.bytes].reduce(
    (sum, { length }) => sum + length,
    0,
  );
  expect(await registryStatus(world.settings({}, { data }))).toEqual({
    data,
    repositories: 2,
    tags: 3,
    blobs: 3,
    size,
    damaged: 0,
  });
});

it('the status of a running registry says where, since when, and its health', async () => {
  await using world = await temporaryWorld();
  await using served = await serveRegistry({ listen: ['127.0.0.1:0'], version: '1' }, world.settings());
  const status = await registryStatus(world.settings());
  expect(status).toMatchObject({ running: served.state, health: 'ok' });
  // VMs do not reach the loopback interface.
  expect(status).not.toHaveProperty('vms');
  // A store without images is this program's own once it gets the first.
  expect(status.collects).toBeDefined();
});

it('the status of an unhealthy registry has its own words', async () => {
  await using world = await temporaryWorld();
  await using served = await serveRegistry({ listen: ['127.0.0.1:0'], version: '1' }, world.settings());
  const other = announceRegistry({ ...served.state, data: join(world.path, 'gone') }, world.settings());
  await rm(join(served.state.data, 'images/registry.json'));
  const { health } = await registryStatus(world.settings({}, { data: other.state.data }));
  expect(health).toMatch(/^pulls: the registry cannot use its own store/);
});

it('the status of a registry on all addresses names one that VMs reach', async () => {
  await using world = await temporaryWorld();
  const data = join(world.path, 'data');
  announceRegistry({ data, addresses: [{ host: '0.0.0.0', port: 1 }], version: '1' }, world.settings());
  const status = await registryStatus(world.settings({ __net_setup: '/x/net-setup-userspace.sh' }, { data }));
  expect(status).toMatchObject({ vms: { ip: '192.168.0.250', port: 1 }, health: expect.stringMatching(/^no answer/) });
});
