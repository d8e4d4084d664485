import { describe, expect, it } from 'vitest';
import { blobOf, bytesOf, imageOf, opener, pushImage } from '../../test/contract/content.ts';
import type { Registry } from '../registry/contract.ts';
import { hostNames } from '../registry/policies/host-names.ts';
import { memoryStore } from '../storage/drivers/staged-store.ts';
import { nameRecords } from '../storage/repositories/name-records.ts';
import { storedRegistry } from '../storage/repositories/stored-registry.ts';
import type { Asker } from './contract.ts';
import { type Asking, asAsking } from './current-asker.ts';
import { type MayDo, permitted } from './permitted.ts';
import { permittedNames } from './permitted-names.ts';
import { type AccessRule, mayDo } from './rules.ts';

const image = imageOf('secret');
const { digest } = image.manifest;
const layer = layerOf(image);
const nobody: Asker = { via: 'nobody', address: '::1' };
const anna: Asker = { via: 'password', address: '::1', user: 'anna' };

async function scene(rules: readonly AccessRule[]): Promise<{
  readonly all: Registry;
  as<T>(
    asker: Asker,
    ask: (registry: Registry) => Promise<T>,
  ): Promise<{ readonly result: T; readonly asking: Asking }>;
}> {
  const store = memoryStore();
  const all = storedRegistry(store);
  await pushImage(all, 'team/app', image, ['1']);
  await pushImage(all, 'free/app', imageOf('free'), ['1']);
  const names = nameRecords(store.objects);
  await names.set('docker.io', 'team/app', '1', digest);
  const may: MayDo = (asker, action, repository) => mayDo({ rules }, asker, action, repository);
  const guarded = hostNames(permitted(all, may), permittedNames(names, may));
  return {
    all,
    as: async (asker, ask) => {
      const asking: Asking = { asker };
      return { result: await asAsking(asking, () => ask(guarded)), asking };
    },
  };
}

const RULES: readonly AccessRule[] = [
  { repositories: 'free/**', allow: ['pull'] },
  { repositories: 'team/**', users: ['anna'], allow: ['pull', 'push'] },
];

describe('what may not be pulled', () => {
  it.each(['team/app', 'docker.io/team/app', 'team/nothing'])(
    'is absent, whether it is there or not [%s]',
    async (name) => {
      const { as } = await scene(RULES);
      const asked = await as(nobody, async (registry) => [
        await registry.statManifest(name, '1'),
        await registry.statBlob(name, layer),
        await Array.fromAsync(registry.referrers(name, digest)),
        await registry.getManifest(name, '1').catch(({ code }) => code),
        await registry.getManifest(name, digest).catch(({ code }) => code),
        await registry.getManifest(name, '1', { host: 'docker.io' }).catch(({ code }) => code),
        await registry.getBlob(name, layer).catch(({ code }) => code),
        await Array.fromAsync(registry.tags(name)).catch(({ code }) => code),
      ]);
      expect(asked.result).toEqual([
        undefined,
        undefined,
        [],
        'NAME_UNKNOWN',
        'NAME_UNKNOWN',
        'NAME_UNKNOWN',
        'NAME_UNKNOWN',
        'NAME_UNKNOWN',
      ]);
      expect(asked.asking.refused).toMatchObject({ action: 'pull' });
    },
  );

  it('is not in the catalogue', async () => {
    const { as } = await scene(RULES);
    expect((await as(nobody, (registry) => Array.fromAsync(registry.repositories()))).result).toEqual(['free/app']);
    expect((await as(anna, (registry) => Array.fromAsync(registry.repositories()))).result).toEqual([
      'free/app',
      'team/app',
    ]);
  });

  it('is in the catalogue for who has a token for that, within what may be pulled', async () => {
    const { as } = await scene(RULES);
    const list = async (asker: Asker) =>
      (await as(asker, (registry) => Array.fromAsync(registry.repositories()))).result;
    const token: Asker = { ...anna, via: 'token', scopes: [] };
    const listed = [{ repositories: '**', actions: ['pull'] }] as const;
    expect(await list(token)).toEqual([]);
    expect(await list({ ...token, listed })).toEqual(['free/app', 'team/app']);
    expect(await list({ ...nobody, scopes: [], listed })).toEqual(['free/app']);
    expect(
      (await as({ ...token, listed }, (registry) => registry.statManifest('team/app', '1'))).result,
    ).toBeUndefined();
  });

  it('is not opened by its digest: no mount, no layer of another repository', async () => {
    const { as } = await scene([...RULES, { repositories: 'free/**', users: ['bob'], allow: ['push'] }]);
    const bob: Asker = { via: 'password', address: '::1', user: 'bob' };
    const { result } = await as(bob, async (registry) => [
      await registry.mountBlob('free/app', layer, 'team/app'),
      await registry.mountBlob('free/app', layer),
      // Where one may read, and the blob is not.
      await registry.mountBlob('free/app', layer, 'free/app'),
      await registry.mountBlob('free/other', layer, 'free/app'),
      await registry.mountBlob('free/app', layer, 'free/none'),
      await registry.mountBlob('free/app', layer, 'docker.io/free/app'),
      await registry.statBlob('free/app', layer),
      await registry.partialBytes(layer),
      await registry.putManifest('free/app', image.manifest, ['stolen']).catch(({ code }) => code),
    ]);
    expect(result).toEqual([...Array(6).fill(false), undefined, 0, 'MANIFEST_BLOB_UNKNOWN']);
  });
});

describe('what may be done', () => {
  it('is done: pulled by those who may, mounted from where one may read', async () => {
    const { as, all } = await scene(RULES);
    const { result } = await as(anna, async (registry) => [
      (await registry.getManifest('team/app', '1')).digest,
      await registry.mountBlob('team/other', layer, 'team/app'),
      await registry.mountBlob('team/third', layer, 'docker.io/team/app'),
    ]);
    expect(result).toEqual([digest, true, true]);
    expect(await all.statBlob('team/other', layer)).toBeDefined();
  });

  it('is pushed without the right to pull, too: a client asks first what is there', async () => {
    const { as } = await scene([{ repositories: 'in/**', allow: ['push'] }]);
    const { descriptor, bytes } = blobOf(bytesOf('new', 10));
    const asked = await as(nobody, async (registry) => {
      const before = await registry.statBlob('in/app', descriptor.digest);
      await registry.putBlob('in/app', descriptor, opener(bytes));
      return [before, (await registry.statBlob('in/app', descriptor.digest))?.size];
    });
    expect(asked).toEqual({ result: [undefined, 10], asking: { asker: nobody } });
  });

  it('is never more than that: each write is refused, with a login as the way out for those who have none', async () => {
    const { as, all } = await scene(RULES);
    const { descriptor, bytes } = blobOf(bytesOf('new', 10));
    const writes: readonly ((registry: Registry) => Promise<unknown>)[] = [
      (registry) => registry.putBlob('free/app', descriptor, opener(bytes)),
      (registry) => registry.openUpload('free/app'),
      (registry) => registry.openUpload('free/app', 'some-id'),
      (registry) => registry.mountBlob('free/app', layer, 'free/app'),
      (registry) => registry.putManifest('free/app', image.manifest, ['2']),
      (registry) => registry.deleteTag('free/app', '1'),
      (registry) => registry.deleteManifest('free/app', digest),
      (registry) => registry.deleteBlob('free/app', layer),
    ];
    for (const write of writes) {
      await expect(as(nobody, write)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      await expect(as(anna, write)).rejects.toMatchObject({ code: 'DENIED' });
    }
    expect(await Array.fromAsync(all.tags('free/app'))).toEqual(['1']);
  });

  it('is nothing outside of a request', async () => {
    const { all } = await scene(RULES);
    const guarded = permitted(all, () => true);
    await expect(guarded.getManifest('team/app', '1')).rejects.toThrow('outside of a request');
    await expect(Array.fromAsync(guarded.repositories())).rejects.toThrow('outside of a request');
  });
});

function layerOf({ layers: [layer] }: typeof image): typeof digest {
  if (!layer) throw new Error('the image has no layer');
  return layer.descriptor.digest;
}
