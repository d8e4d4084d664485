import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Digest } from '../../oci/digest.ts';
import { parseReference } from '../../oci/reference.ts';
import { emptyRegistry, type Image, index, putImage } from '../../server/testing/content.ts';
import { startServer } from '../../server/testing/start.ts';
import { readLastCheck } from '../../storage/check/check-record.ts';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { blobKey, tagLinkKey } from '../../storage/layout/registry-keys.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { type CheckRegistryOptions, checkRegistry } from './check-registry.ts';

/** A store with the images `team/app:1` and `library/alpine:3`, whose configurations are the same. */
async function scene() {
  const world = await temporaryWorld();
  onTestFinished(() => world[Symbol.asyncDispose]());
  const data = join(world.path, 'data');
  const store = await openEmbeddedStore(data);
  const app = await putImage(store.registry, 'team/app', '1');
  const alpine = await putImage(store.registry, 'library/alpine', '3');
  const settings = world.settings({}, { data });
  const check = ({ images = [], ...options }: Omit<CheckRegistryOptions, 'images'> & { images?: string[] } = {}) =>
    checkRegistry({ images: images.map(parseReference), betweenMs: 1, ...options }, settings);
  const damage = (digest: Digest) => store.objects.put(blobKey(digest), Buffer.from('damage'));
  return { world, data, store, app, alpine, settings, check, damage };
}

const layerOf = ({ blobs }: Image) => blobs.at(-1)?.descriptor.digest as Digest;

describe('a check', () => {
  it('of a store that is whole finds nothing', async () => {
    const { check, data } = await scene();
    expect(await check()).toEqual({
      data,
      blobs: 5,
      bytes: expect.any(Number),
      mended: [],
      faults: [],
      incomplete: [],
      unmarked: 0,
      isMore: false,
    });
  });

  it('tells what it does, also how much there is if that is asked for', async () => {
    const { check } = await scene();
    const events: string[] = [];
    await check({ counted: true, onEvent: ({ type }) => events.push(type) });
    expect(new Set(events)).toEqual(new Set(['total', 'blobs', 'links']));
  });

  it('says what is damaged, which images that costs, and what to do', async () => {
    const { check, damage, app } = await scene();
    await damage(layerOf(app));
    const { faults, incomplete, unmarked } = await check();
    expect(faults).toMatchObject([
      { kind: 'damaged-blob', digest: layerOf(app), hint: expect.stringContaining('--repair') },
    ]);
    expect([incomplete, unmarked]).toEqual([['team/app:1'], 0]);
  });

  it('of some images looks at what they need, and at no others', async () => {
    const { check, damage, store, app, alpine } = await scene();
    await store.registry.putManifest('team/app', index([app.manifest]), ['multi']);
    await damage(layerOf(app));
    await damage(layerOf(alpine));
    const seen = async (...images: string[]) => {
      const { blobs, incomplete } = await check({ images });
      return [blobs, ...incomplete];
    };
    expect(await seen('team/app:1')).toEqual([3, 'team/app:1', 'team/app:multi']);
    expect(await seen('team/app:multi')).toEqual([4, 'team/app:1', 'team/app:multi']);
    expect(await seen(`team/app@${app.manifest.digest}`)).toEqual([3, 'team/app:1', 'team/app:multi']);
    expect(await seen('alpine:3')).toEqual([3, 'library/alpine:3']);
    expect(await seen('alpine:3', 'team/app:1')).toEqual([5, 'library/alpine:3', 'team/app:1', 'team/app:multi']);
    await expect(seen('team/app:2')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  });

  it('of an image whose tag or manifest is damaged says so', async () => {
    const { check, damage, store, app, alpine } = await scene();
    await store.objects.put(tagLinkKey('team/app', '1'), new Uint8Array());
    await damage(alpine.manifest.digest);
    expect((await check({ images: ['team/app:1'] })).faults).toMatchObject([
      { kind: 'garbled-tag', digest: app.manifest.digest },
    ]);
    expect((await check({ images: ['alpine:3'] })).faults).toMatchObject([
      { kind: 'damaged-blob', digest: alpine.manifest.digest },
    ]);
  });
});

describe('a repair', () => {
  it('fetches from the registries that images came from, and leaves what they do not have', async () => {
    const { check, damage, store, app, alpine } = await scene();
    const upstream = emptyRegistry();
    await putImage(upstream, 'team/app', '1', app);
    await using server = await startServer(upstream);
    await store.names.set(server.host, 'team/app', '1', app.manifest.digest);
    await damage(layerOf(app));
    await damage(layerOf(alpine));
    const { mended, faults, incomplete } = await check({ repair: true });
    expect(mended).toMatchObject([{ digest: layerOf(app) }]);
    expect(faults).toMatchObject([{ digest: layerOf(alpine), hint: expect.stringContaining('Push the image again') }]);
    expect(incomplete).toEqual(['library/alpine:3']);
    // As `lreg_status` says it from now on.
    expect(await readLastCheck(store.objects)).toMatchObject({ by: 'asked', findings: 1, images: 1 });
    expect((await check()).incomplete).toEqual(['library/alpine:3']);
  });

  it('of some images mends no others', async () => {
    const { check, store, app } = await scene();
    for (const [repository, tag] of [
      ['team/app', '1'],
      ['library/alpine', '3'],
    ] as const)
      await store.objects.put(tagLinkKey(repository, tag), new Uint8Array());
    const { mended, faults } = await check({ images: ['team/app:1'], repair: true });
    expect([mended.map(({ digest }) => digest), faults]).toEqual([[app.manifest.digest], []]);
    expect(await readLastCheck(store.objects)).toBeUndefined();
    expect((await check()).incomplete).toEqual(['library/alpine:3']);
  });
});

it('is for the embedded registry of this user, which has to be there', async () => {
  const { world, data, settings } = await scene();
  const check = (more: Parameters<typeof world.settings>) => checkRegistry({}, world.settings(...more));
  await expect(check([])).rejects.toMatchObject({ code: 'NO_REGISTRY' });
  await expect(check([{ LOCAL_REGISTRY: 'r.io:5000' }])).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringContaining('r.io:5000'),
  });
  await rm(data, { recursive: true });
  await expect(checkRegistry({}, settings)).rejects.toMatchObject({ message: expect.stringContaining(data) });
});
