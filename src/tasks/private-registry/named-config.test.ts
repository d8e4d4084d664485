// With which configuration a command opens the store.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { blobOf, bytesOf, opener } from '../../../test/contract/content.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { namedConfig, withNamedData } from './named-config.ts';
import { openRuledStore } from './open-store.ts';
import { announceRegistry } from './registry-state.ts';

const SERVED = { addresses: [], version: '1' };
const { descriptor, bytes } = blobOf(bytesOf('large', 3000));

it('a command obeys the configuration that the running registry was given, unless --config names another', async () => {
  await using world = await temporaryWorld();
  const data = join(world.path, 'data');
  const config = await world.file('rules.toml', 'quota = "1 kB"\n');
  const { state, withdraw } = announceRegistry({ ...SERVED, data, config }, world.settings());
  expect([state.config, namedConfig(data, world.settings())]).toEqual([config, config]);
  const store = await openRuledStore(data, world.settings());
  await expect(store.blobs.write(descriptor, opener(bytes))).rejects.toMatchObject({
    message: expect.stringContaining('the quota of the registry'),
  });
  const other = await world.file('other.toml', '');
  const free = await openRuledStore(data, world.settings({}, { config: other }));
  await free.blobs.write(descriptor, opener(bytes));
  withdraw();
  expect(namedConfig(data, world.settings())).toBeUndefined();
  expect((await openRuledStore(data, world.settings())).space).toBeUndefined();
});

it('a path that is not absolute is no configuration', async () => {
  await using world = await temporaryWorld();
  const data = join(world.path, 'data');
  announceRegistry({ ...SERVED, data, config: 'rules.toml' }, world.settings());
  expect(namedConfig(data, world.settings())).toBeUndefined();
});

it('a configuration that was corrected is read again by the next write', async () => {
  await using world = await temporaryWorld();
  const data = join(world.path, 'data');
  await world.file('data/registry.toml', 'quota = 1\n');
  const store = await openRuledStore(data, world.settings());
  const write = () => store.blobs.write(descriptor, opener(bytes));
  await expect(write()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  await world.file('data/registry.toml', 'quota = "1 MB"\n');
  await write();
  expect(await store.blobs.find(descriptor.digest)).toBeDefined();
});

it('a configuration that is named says where the data is, unless the caller does', async () => {
  await using world = await temporaryWorld();
  const config = await world.file('etc/images.toml', 'data = "../store"\n');
  expect((await withNamedData(world.settings({}, { config }))).data).toBe(join(world.path, 'store'));
  expect((await withNamedData(world.settings({}, { config, data: '/other' }))).data).toBe('/other');
  expect((await withNamedData(world.settings())).data).toBeUndefined();
  const none = await world.file('etc/none.toml', '');
  expect((await withNamedData(world.settings({}, { config: none }))).data).toBeUndefined();
});
