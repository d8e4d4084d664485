// The owner's commands at a registry that runs here: over HTTP and HTTPS, against rules that allow others nothing.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Registry } from '../../registry/contract.ts';
import { putImage } from '../../server/testing/content.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import type { DebugEvent, Settings } from '../settings.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { addressOf } from './locate-registry.ts';
import { anyHosts, privateRegistryClient } from './registry-clients.ts';
import { registryStatus } from './registry-status.ts';
import { type ServedRegistry, type ServeRequest, serveRegistry } from './serve-registry.ts';

const FOR_NOBODY_HERE = '[[rule]]\nfrom = ["192.0.2.1"]\nallow = ["pull"]\n';

async function serve(world: TemporaryWorld, rules: string, request: Partial<ServeRequest> = {}) {
  const data = join(world.path, 'share/images');
  const { manifest } = await putImage((await openEmbeddedStore(data)).registry, 'x/y', '1');
  await world.file('share/images/registry.toml', rules);
  const served = await serveRegistry({ listen: ['127.0.0.1:0'], version: '1', ...request }, world.settings());
  return { served, manifest };
}

async function clientOf({ state }: ServedRegistry, settings: Settings): Promise<Registry> {
  const [listening] = state.addresses;
  return await privateRegistryClient(addressOf(listening ?? { host: '', port: 0 }), settings);
}

const repositories = async (registry: Registry) => await Array.fromAsync(registry.repositories());

describe('the owner of a registry that runs', () => {
  it('sees and deletes everything, whatever rules say, and is told how; who cannot read the secret is refused', async () => {
    await using world = await temporaryWorld();
    const { served, manifest } = await serve(world, FOR_NOBODY_HERE);
    await using _served = served;
    const debugged: DebugEvent[] = [];
    const owner = await clientOf(served, world.settings({}, { onDebug: (event) => debugged.push(event) }));
    expect(await repositories(owner)).toEqual(['x/y']);
    await owner.deleteManifest('x/y', manifest.digest);
    expect(await owner.statManifest('x/y', manifest.digest)).toBeUndefined();
    const { ownerFile = '' } = served.state;
    expect(debugged).toContainEqual({
      topic: 'hosts',
      event: expect.objectContaining({ type: 'credentials', used: `a token from ${ownerFile}` }),
    });
    expect(JSON.stringify(debugged)).not.toMatch(/owner\.\d/);
    await rm(ownerFile);
    const other = await clientOf(served, world.settings());
    await expect(repositories(other)).rejects.toMatchObject({ code: 'DENIED' });
  });

  it('is who the user’s own credentials say, if there are some for it', async () => {
    await using world = await temporaryWorld();
    const { served } = await serve(world, FOR_NOBODY_HERE);
    await using _served = served;
    const [{ port } = { port: 0 }] = served.state.addresses;
    const auths = { [`127.0.0.1:${port}`]: { auth: Buffer.from('me:x').toString('base64') } };
    const REGISTRY_AUTH_FILE = await world.file('auth.json', JSON.stringify({ auths }));
    const user = await clientOf(served, world.settings({ REGISTRY_AUTH_FILE }));
    await expect(repositories(user)).rejects.toMatchObject({ code: 'DENIED' });
  });

  it('writes nothing over HTTP to a registry that is read-only', async () => {
    await using world = await temporaryWorld();
    const { served, manifest } = await serve(world, FOR_NOBODY_HERE, { readOnly: true });
    await using _served = served;
    const owner = await clientOf(served, world.settings());
    expect(await repositories(owner)).toEqual(['x/y']);
    await expect(owner.deleteManifest('x/y', manifest.digest)).rejects.toMatchObject({
      code: 'DENIED',
      said: expect.stringContaining('read-only, also for its owner'),
    });
  });

  it('is known over HTTPS, where the registry’s own CA is trusted without being installed', async () => {
    await using world = await temporaryWorld();
    const { served, manifest } = await serve(world, FOR_NOBODY_HERE, { tls: 'auto' });
    await using _served = served;
    expect((await registryStatus(world.settings())).health).toBe('ok');
    expect(served.state).toMatchObject({ caFile: join(world.path, 'share/images/images/tls/ca.crt') });
    const debugged: DebugEvent[] = [];
    const owner = await clientOf(served, world.settings({}, { onDebug: (event) => debugged.push(event) }));
    expect(await repositories(owner)).toEqual(['x/y']);
    // Under another name it is found out with the first request, also if that gets no words.
    const [{ port } = { port: 0 }] = served.state.addresses;
    await using any = await anyHosts(undefined, world.settings());
    const named = any.forHost(`localhost:${port}`).statBlob('x/y', manifest.digest);
    await expect(named).rejects.toMatchObject({ code: 'DENIED', request: { url: expect.stringMatching(/^https:/) } });
    expect(debugged.filter(({ topic }) => topic === 'http').map(({ event }) => JSON.stringify(event))).toEqual([
      expect.stringContaining('https://'),
    ]);
  });
});
