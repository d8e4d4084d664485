import { chown, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BoundAddress } from '../../server/address.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { addressOf, locateRegistry, namedAddress, nearestAddress } from './locate-registry.ts';
import { openPrivateRegistry } from './private-registry.ts';
import type { RegistryState } from './registry-record.ts';
import { announceRegistry, dataDirectory } from './registry-state.ts';

const OWN = process.getuid?.() ?? 0;

function serve(world: TemporaryWorld, host = '127.0.0.1') {
  const data = join(world.path, 'share/images');
  return { data, ...announceRegistry({ data, addresses: [{ host, port: 5000 }], version: '1' }, world.settings()) };
}

describe('the private registry', () => {
  it('is absent if nothing says where it is', async () => {
    await using world = await temporaryWorld();
    expect(await locateRegistry(world.settings())).toBeUndefined();
    await expect(openPrivateRegistry(world.settings())).rejects.toMatchObject({ code: 'NO_REGISTRY' });
  });

  it('is created in the default directory if images are to be kept, with a note', async () => {
    await using world = await temporaryWorld();
    const { store } = await openPrivateRegistry(world.settings(), { create: true });
    expect(store?.directory).toBe(join(world.path, 'share/images'));
    expect(world.notes.join()).toContain('lreg_start');
  });

  it('is the data directory that is named, whatever else exists', async () => {
    await using world = await temporaryWorld();
    serve(world);
    const named = { kind: 'embedded', data: '/x/data' };
    expect(await locateRegistry(world.settings({ LOCAL_REGISTRY: 'r.io' }, { data: '/x/data' }))).toEqual(named);
    expect(await locateRegistry(world.settings({ LOCAL_REGISTRY: 'r.io', IMAGES_DATA: '/x/data' }))).toEqual(named);
  });

  it('is what $LOCAL_REGISTRY names, over HTTP', async () => {
    await using world = await temporaryWorld();
    serve(world);
    for (const LOCAL_REGISTRY of ['r.io:5000', '127.0.0.1:5001', '10.255.255.254:5000']) {
      expect(await locateRegistry(world.settings({ LOCAL_REGISTRY })), LOCAL_REGISTRY).toMatchObject({
        kind: 'remote',
      });
    }
  });

  it('is opened in this process if $LOCAL_REGISTRY names this user’s own running registry', async () => {
    await using world = await temporaryWorld();
    const { data, withdraw } = serve(world);
    for (const LOCAL_REGISTRY of ['127.0.0.1:5000', 'localhost:5000', 'http://127.0.0.1:5000']) {
      expect(await locateRegistry(world.settings({ LOCAL_REGISTRY }))).toMatchObject({ kind: 'embedded', data });
    }
    withdraw();
    const gone = await locateRegistry(world.settings({ LOCAL_REGISTRY: '127.0.0.1:5000' }));
    expect(gone).toMatchObject({ kind: 'remote' });
  });

  it('that listens on all addresses is recognised as this user’s own under each of them', async () => {
    await using world = await temporaryWorld();
    serve(world, '0.0.0.0');
    expect(await locateRegistry(world.settings({ LOCAL_REGISTRY: '127.0.0.1:5000' }))).toMatchObject({
      kind: 'embedded',
    });
  });

  it('is this user’s own store, running or not, before another user’s registry', async () => {
    await using world = await temporaryWorld();
    await world.file('share/images/docker/registry/v2/x', '');
    expect(await locateRegistry(world.settings())).toEqual({
      kind: 'embedded',
      data: join(world.path, 'share/images'),
    });
  });

  describe('of another user', () => {
    /** A store of another user. Root's own store would not count as foreign, so as root the store is given to another user. Otherwise the settings pretend to be another user. */
    async function another(world: TemporaryWorld, env: Record<string, string> = {}) {
      await world.file('share/images/docker/registry/v2/x', '');
      const data = join(world.path, 'share/images');
      const owner = OWN === 0 ? 12_345 : OWN;
      await chown(data, owner, -1);
      return { data, owner, settings: world.settings(env, { uid: owner + 1 }) };
    }

    it('is used where it is named, and a note says whose it is', async () => {
      await using world = await temporaryWorld();
      const { data, owner, settings } = await another(world);
      const named = [
        { ...settings, data },
        { ...settings, env: { ...settings.env, IMAGES_DATA: data } },
      ];
      for (const each of named) {
        expect(await locateRegistry(each)).toEqual({ kind: 'embedded', data });
        expect(dataDirectory(each)).toBe(data);
        expect(new Set(world.notes.splice(0))).toEqual(new Set([`The images in ${data} are user ${owner}'s.`]));
      }
    });

    it('is not used only because $HOME is that user’s, as with sudo: not read, not written, not created', async () => {
      await using world = await temporaryWorld();
      const { data, owner, settings } = await another(world);
      expect(await locateRegistry(settings)).toBeUndefined();
      const why = `the images in ${data} are user ${owner}'s`;
      const hint = `If they are meant, say so with --data=${data} or $IMAGES_DATA; else let HOME be your own.`;
      expect(world.notes[0]).toBe(`Left out: ${why}. ${hint}`);
      const refusal = { code: 'NO_REGISTRY', message: why, hint };
      expect(() => dataDirectory(settings)).toThrow(expect.objectContaining(refusal));
      await expect(openPrivateRegistry(settings, { create: true })).rejects.toMatchObject(refusal);
      await expect(openPrivateRegistry(settings)).rejects.toMatchObject({ code: 'NO_REGISTRY' });
    });

    it('does not keep other registries from being used', async () => {
      await using world = await temporaryWorld();
      const { data, settings } = await another(world, { LOCAL_REGISTRY: 'r.example:5000' });
      await world.file('share/images/images/current.json', JSON.stringify({ data: world.path }));
      expect(await locateRegistry(settings)).toMatchObject({ kind: 'remote', address: { host: 'r.example:5000' } });
      const { env, ...more } = settings;
      const { LOCAL_REGISTRY: _, ...without } = env;
      expect(await locateRegistry({ ...more, env: without })).toBeUndefined();
      // Nor is this user's own registry recorded in the other user's directory.
      announceRegistry({ data: join(world.path, 'own'), addresses: [], version: '1' }, { ...more, env: without });
      expect(JSON.parse(await readFile(join(data, 'images/current.json'), 'utf8'))).toEqual({ data: world.path });
    });
  });

  it('is used if it runs and there is no store of one’s own', async () => {
    await using world = await temporaryWorld();
    serve(world);
    const elsewhere = { XDG_DATA_HOME: join(world.path, 'other') };
    expect(await locateRegistry(world.settings(elsewhere, { uid: OWN + 1 }))).toMatchObject({
      kind: 'remote',
      address: { host: '127.0.0.1:5000', secure: false },
    });
    expect(await locateRegistry(world.settings(elsewhere))).toBeUndefined();
  });
});

describe('the address of a registry that runs here', () => {
  const state = (...addresses: readonly BoundAddress[]): RegistryState => ({
    ...{ identity: '1.2.3', pid: 1, uid: 0, data: '/d', since: '', version: '1' },
    addresses,
  });

  it('keeps its port where it has HTTPS, so that nobody asks it over HTTP', () => {
    const secure = [443, 80, 5000].map((port) => addressOf({ host: '10.0.0.5', port, tls: true }));
    expect(secure.map(({ host }) => host)).toEqual(['10.0.0.5:443', '10.0.0.5:80', '10.0.0.5:5000']);
    expect(secure.every(({ secure: isSecure, isFound }) => isSecure && isFound)).toBe(true);
    expect(namedAddress({ host: '::', port: 443, tls: true })).toBe('https://[::1]:443');
    expect(namedAddress({ host: '0.0.0.0', port: 80 })).toBe('127.0.0.1');
  });

  it('is that on loopback without HTTPS, if there is one, else the first', () => {
    const [outside, secure, loopback] = [
      { host: '10.0.0.5', port: 80 },
      { host: '127.0.0.1', port: 443, tls: true },
      { host: '0.0.0.0', port: 5000 },
    ];
    expect(nearestAddress(state(outside, secure, loopback))).toBe(loopback);
    expect(nearestAddress(state(outside, secure))).toBe(outside);
    expect(nearestAddress(state())).toBeUndefined();
  });
});
