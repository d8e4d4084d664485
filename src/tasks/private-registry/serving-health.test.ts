import { existsSync } from 'node:fs';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { image, putImage } from '../../server/testing/content.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import type { RegistryState } from './registry-record.ts';
import { announceRegistry } from './registry-state.ts';
import { servingHealth, stillThere } from './serving-health.ts';

const { signal } = new AbortController();

describe('the embedded registry', () => {
  it('is healthy while its record is in its directory; asking leaves nothing there', async () => {
    await using world = await temporaryWorld();
    const data = join(world.path, 'data');
    const { state } = announceRegistry({ data, addresses: [], version: '1' }, world.settings());
    const health = servingHealth(data, () => state);
    await health.canRead(signal);
    await health.canWrite(signal);
    expect(await readdir(join(data, 'images/tmp'))).toEqual([]);
  });

  it('is unhealthy while its directory is gone or is another one', async () => {
    await using world = await temporaryWorld();
    const data = join(world.path, 'data');
    const { state } = announceRegistry({ data, addresses: [], version: '1' }, world.settings());
    const health = servingHealth(data, () => state);
    await rename(data, `${data} away`);
    const gone = { code: 'NO_ACCESS', message: `the store is not there any more [${data}]` };
    await expect(health.canRead(signal)).rejects.toMatchObject(gone);
    await world.file('data/images/registry.json', '{}');
    await expect(health.canRead(signal)).rejects.toMatchObject(gone);
    await rename(data, `${data} other`);
    await rename(`${data} away`, data);
    await health.canRead(signal);
  });

  it('has nothing written where its directory has gone, and goes on when that is back', async () => {
    await using world = await temporaryWorld();
    const data = join(world.path, 'data');
    let state: RegistryState | undefined;
    const check = stillThere(data, () => state);
    await check();
    ({ state } = announceRegistry({ data, addresses: [], version: '1' }, world.settings()));
    const store = await openEmbeddedStore(data, { check: stillThere(data, () => state) });
    await rename(data, `${data} away`);
    await expect(putImage(store.registry, 'x/y', '1', image())).rejects.toMatchObject({ code: 'NO_ACCESS' });
    expect(existsSync(data)).toBe(false);
    await rename(`${data} away`, data);
    await putImage(store.registry, 'x/y', '1', image());
  });

  it('is healthy before it is announced, in a directory that does not exist yet', async () => {
    await using world = await temporaryWorld();
    await servingHealth(join(world.path, 'data'), () => undefined).canRead(signal);
  });
});
