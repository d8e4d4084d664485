import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { putImage } from '../../server/testing/content.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { discardEmptyStore, storeIsBegun } from './empty-store.ts';

it('a store that was only begun goes, and the directory stays', async () => {
  await using world = await temporaryWorld();
  await world.file('data/own.txt', 'the user’s');
  const data = join(world.path, 'data');
  expect(storeIsBegun(data)).toBe(false);
  discardEmptyStore(data);
  await mkdir(join(data, 'images'));
  expect(storeIsBegun(data)).toBe(true);
  discardEmptyStore(data);
  expect([storeIsBegun(data), existsSync(join(data, 'own.txt'))]).toEqual([false, true]);
});

it('a store with content stays', async () => {
  await using world = await temporaryWorld();
  const store = await openEmbeddedStore(join(world.path, 'data'));
  await putImage(store.registry, 'team/app', '1');
  discardEmptyStore(store.directory);
  expect(await store.registry.statManifest('team/app', '1')).toBeDefined();
});

it('a store goes with the CA and the key that a start made before it listened, and stays with anything else', async () => {
  await using world = await temporaryWorld();
  const data = join(world.path, 'data');
  const make = async () => {
    for (const name of ['access/key', 'tls/ca.crt', 'tls/ca.key', 'tls/default.pem'])
      await world.file(`data/images/${name}`, 'x');
  };
  await make();
  discardEmptyStore(data);
  expect(storeIsBegun(data)).toBe(false);
  for (const other of ['access/tokens/id.json', 'registry.json', 'tls/names/docker.io.pem']) {
    await make();
    await world.file(`data/images/${other}`, 'x');
    discardEmptyStore(data);
    expect(['access/key', 'tls/ca.key', other].map((name) => existsSync(join(data, 'images', name)))).toEqual([
      true,
      true,
      true,
    ]);
    await rm(join(data, 'images'), { recursive: true });
  }
});
