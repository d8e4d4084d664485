import { join } from 'node:path';
import { expect, it } from 'vitest';
import { image, putImage } from '../../server/testing/content.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { openRuledStore } from './open-store.ts';

it('writes obey the rules of the configuration; reads need none', async () => {
  await using world = await temporaryWorld();
  const data = join(world.path, 'data');
  const before = await openRuledStore(data, world.settings());
  const content = await putImage(before.registry, 'release/app', 'v1');
  await world.file('data/registry.toml', 'immutable = ["release/**:v*"]');
  const store = await openRuledStore(data, world.settings());
  await expect(putImage(store.registry, 'release/app', 'v1', image())).rejects.toMatchObject({ code: 'DENIED' });
  await putImage(store.registry, 'release/app', 'latest');
  await world.file('data/registry.toml', 'immutable = [');
  const broken = await openRuledStore(data, world.settings());
  expect(await broken.registry.statManifest('release/app', 'v1')).toMatchObject({ digest: content.manifest.digest });
  await expect(putImage(broken.registry, 'release/app', 'v1')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

it('the rules may be in a file that is named', async () => {
  await using world = await temporaryWorld();
  const config = await world.file('rules.toml', 'quota = "100 B"');
  const store = await openRuledStore(join(world.path, 'data'), world.settings({}, { config }));
  await expect(putImage(store.registry, 'team/app', '1')).rejects.toMatchObject({
    message: expect.stringContaining('quota'),
  });
});
