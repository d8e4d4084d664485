import { spawn } from 'node:child_process';
import { lstat, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identityOf, ownIdentity } from '../io/process-identity.ts';
import {
  announcedRegistries,
  announceRegistry,
  dataDirectory,
  defaultDataDirectory,
  registriesOfOthers,
  runningRegistry,
} from './registry-state.ts';
import { temporaryWorld } from './testing/temporary-world.ts';

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

  it('is the one served last, also after its registry has stopped, until the default one is served again', async () => {
    await using world = await temporaryWorld();
    const data = join(world.path, 'elsewhere');
    announceRegistry({ ...SERVED, data }, world.settings()).withdraw();
    expect(dataDirectory(world.settings())).toBe(data);
    const back = defaultDataDirectory(world.settings());
    announceRegistry({ ...SERVED, data: back }, world.settings()).withdraw();
    expect(dataDirectory(world.settings())).toBe(back);
  });

  it('is the default one where its registry runs and the one served last does not', async () => {
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
    expect(runningRegistry(data)).toEqual(state);
    withdraw();
    expect(runningRegistry(data)).toBeUndefined();
  });

  it('is none where its process has gone, or the file is no state', async () => {
    await using world = await temporaryWorld();
    const data = join(world.path, 'data');
    announceRegistry({ ...SERVED, data }, world.settings());
    const file = join(data, 'images/registry.json');
    const written = await readFile(file, 'utf8');
    await writeFile(file, written.replace(ownIdentity(), ownIdentity().replace(/\.\d+\./, '.1.')));
    expect(runningRegistry(data)).toBeUndefined();
    for (const garbage of ['', '{', '[]', '{"pid":1}', 'null']) {
      await writeFile(file, garbage);
      expect(runningRegistry(data)).toBeUndefined();
    }
  });

  it('is announced so that others can read it, and only its owner write it', async () => {
    await using world = await temporaryWorld();
    announceRegistry({ ...SERVED, data: join(world.path, 'data') }, world.settings());
    const { mode } = await lstat(join(world.path, `images-registry-${OWN}-${process.pid}.json`));
    expect(mode & 0o777).toBe(0o644);
  });
});

describe('registries of others', () => {
  /** What another user sees of this one's registry. */
  const asOther = { uid: OWN + 1 };

  it('are believed where their owner owns the file and runs the process', async () => {
    await using world = await temporaryWorld();
    const { state } = announceRegistry({ ...SERVED, data: join(world.path, 'data') }, world.settings());
    expect(registriesOfOthers(world.settings({}, asOther))).toEqual([state]);
    expect(registriesOfOthers(world.settings())).toEqual([]);
  });

  it('are all found, also when another one of the same user has stopped', async () => {
    await using world = await temporaryWorld();
    const { identity } = announceRegistry({ ...SERVED, data: join(world.path, 'one') }, world.settings()).state;
    // One that runs in another process of this user, and one that was killed.
    const child = spawn('sleep', ['30']);
    const own = `images-registry-${OWN}`;
    const text = await readFile(join(world.path, `${own}-${process.pid}.json`), 'utf8');
    const other = identityOf(child.pid ?? 0) ?? '';
    const copyFor = (pid: number, whose: string) =>
      text.replaceAll(identity, whose).replace(`"pid":${process.pid}`, `"pid":${pid}`);
    await writeFile(join(world.path, `${own}-${child.pid}.json`), copyFor(child.pid ?? 0, other));
    await writeFile(join(world.path, `${own}-1.json`), copyFor(1, identity.replace(/^\d+/, '1')));
    try {
      const { withdraw } = announceRegistry({ ...SERVED, data: join(world.path, 'two') }, world.settings());
      expect((await readdir(world.path)).filter((name) => name.startsWith(own))).toHaveLength(2);
      withdraw();
      expect(registriesOfOthers(world.settings({}, asOther)).map(({ pid }) => pid)).toEqual([child.pid]);
      expect(announcedRegistries(world.settings()).map(({ pid }) => pid)).toEqual([child.pid]);
    } finally {
      child.kill();
    }
  });

  it('are not believed under a name that their owner does not have', async () => {
    await using world = await temporaryWorld();
    announceRegistry({ ...SERVED, data: join(world.path, 'data') }, world.settings());
    const text = await readFile(join(world.path, `images-registry-${OWN}-${process.pid}.json`), 'utf8');
    await writeFile(
      join(world.path, `images-registry-77-${process.pid}.json`),
      text.replace(`"uid":${OWN}`, '"uid":77'),
    );
    expect(registriesOfOthers(world.settings({}, asOther)).map((state) => state.uid)).toEqual([OWN]);
  });

  it('are not read through links', async () => {
    await using world = await temporaryWorld();
    const { withdraw } = announceRegistry({ ...SERVED, data: join(world.path, 'data') }, world.settings());
    const advert = join(world.path, `images-registry-${OWN}-${process.pid}.json`);
    const elsewhere = await world.file('elsewhere.json', await readFile(advert, 'utf8'));
    withdraw();
    await symlink(elsewhere, advert);
    expect(registriesOfOthers(world.settings({}, asOther))).toEqual([]);
  });
});
