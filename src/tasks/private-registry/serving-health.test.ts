import { existsSync } from 'node:fs';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAuthority } from '../../certificates/authority.ts';
import { image, putImage } from '../../server/testing/content.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import type { Space } from '../../storage/quota/space.ts';
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

  it('keeps pushes away where the quota is reached, by what is known of the space', async () => {
    await using world = await temporaryWorld();
    const { objects } = await openEmbeddedStore(join(world.path, 'data'));
    let known: number | undefined;
    let limit: number | undefined = 1_000_000;
    const space = {
      get known() {
        return known;
      },
    } as unknown as Space;
    const { more } = servingHealth(world.path, () => undefined, { store: { objects, space }, quota: () => limit });
    const quota = async () => await more?.quota?.(signal);
    await quota();
    known = 1_000_000 - 64 * 1024;
    await quota();
    known += 1;
    await expect(quota()).rejects.toMatchObject({ code: 'NO_SPACE', isPublic: true });
    limit = undefined;
    await quota();
    const readOnly = servingHealth(world.path, () => undefined, { isReadOnly: true, store: { objects, space } });
    expect(Object.keys(readOnly.more ?? {})).toEqual(['clock']);
  });

  it('keeps clients away whose TLS would fail: the certificate has expired, or is not valid yet', async () => {
    await using world = await temporaryWorld();
    const authority = await openAuthority({ directory: join(world.path, 'ca'), machine: 'here' });
    const issue = (now: Date) => authority.issue([{ kind: 'dns', name: 'localhost' }], { now, days: 1 });
    const day = 24 * 3600 * 1000;
    let current = await issue(new Date());
    const { more } = servingHealth(world.path, () => undefined, { certificates: { current: () => current } });
    const check = async () => await more?.certificate?.(signal);
    await check();
    current = await issue(new Date(Date.now() - 3 * day));
    await expect(check()).rejects.toMatchObject({ message: 'the certificate has expired', isPublic: true });
    current = await issue(new Date(Date.now() + 3 * day));
    await expect(check()).rejects.toThrow('the certificate is not valid yet');
  });
});
