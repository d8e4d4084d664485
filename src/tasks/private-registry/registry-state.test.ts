import { chmod, lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownIdentity } from '../../io/concurrency/process-identity.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { announceRegistry, dataDirectory, defaultDataDirectory, runningRegistry } from './registry-state.ts';

const SERVED = { addresses: [{ host: '127.0.0.1', port: 5000 }], version: '1' };
const OWN = process.getuid?.() ?? 0;

describe('the data directory', () => {
  it('is the option’s, then $IMAGES_DATA, then the default', async () => {
    await using world = await temporaryWorld();
    expect(dataDirectory(world.settings({ IMAGES_DATA: '/b' }, { data: '/a' }))).toBe('/a');
    expect(dataDirectory(world.settings({ IMAGES_DATA: '/b' }))).toBe('/b');
    expect(dataDirectory(world.settings())).toBe(join(world.path, 'share/images'));
    expect(defaultDataDirectory({ env: {}, home: '/home/x', uid: 1 })).toBe('/home/x/.local/share/images');
  });

  it('is the one served last, even after its registry has stopped, until the default one is served again', async () => {
    await using world = await temporaryWorld();
    const data = join(world.path, 'elsewhere');
    announceRegistry({ ...SERVED, data }, world.settings()).withdraw();
    expect(dataDirectory(world.settings())).toBe(data);
    const back = defaultDataDirectory(world.settings());
    announceRegistry({ ...SERVED, data: back }, world.settings()).withdraw();
    expect(dataDirectory(world.settings())).toBe(back);
  });

  it('is the default one if its registry runs and the one served last does not', async () => {
    await using world = await temporaryWorld();
    const standard = defaultDataDirectory(world.settings());
    announceRegistry({ ...SERVED, data: standard }, world.settings());
    const other = announceRegistry({ ...SERVED, data: join(world.path, 'elsewhere') }, world.settings());
    expect(dataDirectory(world.settings())).toBe(join(world.path, 'elsewhere'));
    other.withdraw();
    expect(dataDirectory(world.settings())).toBe(standard);
  });
});

describe('a running registry', () => {
  it('is found by its data directory until it withdraws', async () => {
    await using world = await temporaryWorld();
    const data = join(world.path, 'data');
    const { state, withdraw } = announceRegistry({ ...SERVED, data }, world.settings());
    expect(state).toMatchObject({ pid: process.pid, uid: OWN, data, addresses: SERVED.addresses });
    expect(runningRegistry(data, world.settings())).toEqual(state);
    withdraw();
    expect(runningRegistry(data, world.settings())).toBeUndefined();
  });

  it('does not count if its process is gone, or its file is invalid', async () => {
    await using world = await temporaryWorld();
    const data = join(world.path, 'data');
    announceRegistry({ ...SERVED, data }, world.settings());
    const file = join(data, 'images/registry.json');
    const written = await readFile(file, 'utf8');
    await writeFile(file, written.replace(ownIdentity(), ownIdentity().replace(/\.\d+\./, '.1.')));
    expect(runningRegistry(data, world.settings())).toBeUndefined();
    for (const garbage of ['', '{', '[]', '{"pid":1}', 'null']) {
      await writeFile(file, garbage);
      expect(runningRegistry(data, world.settings())).toBeUndefined();
    }
  });

  it('does not count for another user if others than its owner could have written the file', async () => {
    await using world = await temporaryWorld();
    const data = join(world.path, 'data');
    const { state } = announceRegistry({ ...SERVED, data }, world.settings());
    const asOther = world.settings({}, { uid: OWN + 1 });
    expect(runningRegistry(data, asOther)).toEqual(state);
    await chmod(join(data, 'images'), 0o777);
    expect(runningRegistry(data, asOther)).toEqual(OWN === 0 ? state : undefined);
    expect(runningRegistry(data, world.settings())).toEqual(state);
  });

  it('is not announced if it could not be recorded as the one served last', async () => {
    await using world = await temporaryWorld();
    await world.file('share/images/images', 'in the way');
    const data = join(world.path, 'data');
    expect(() => announceRegistry({ ...SERVED, data }, world.settings())).toThrow();
    expect(runningRegistry(data, world.settings())).toBeUndefined();
    expect((await readdir(world.path)).sort()).toEqual(['data', 'share']);
  });

  it('is announced in a file that others can read, and only its owner can write', async () => {
    await using world = await temporaryWorld();
    announceRegistry({ ...SERVED, data: join(world.path, 'data') }, world.settings());
    const { mode } = await lstat(join(world.path, `images-registry-${OWN}-${process.pid}.json`));
    expect(mode & 0o777).toBe(0o644);
  });
});
