import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
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
