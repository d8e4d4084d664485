import { beforeEach, describe, expect, it, vi } from 'vitest';
import { imageOf, indexOf, pushImage } from '../../../test/contract/content.ts';
import { ImagesError } from '../../oci/errors.ts';
import { memoryStore } from '../drivers/staged-store.ts';
import { HISTORY, parsePulledKey, pulledKey } from '../layout/image-keys.ts';
import { revisionLinkKey } from '../layout/registry-keys.ts';
import type { Objects } from '../objects.ts';
import { registryStore } from '../registry-store.ts';
import { taggedDigests } from './list-manifests.ts';
import { manifestHistory } from './manifest-history.ts';
import { forgetLostPulls, type PullCounts, pullCounts, pullsOf } from './pull-records.ts';
import { tellingPulls } from './telling-pulls.ts';

const one = imageOf('one');
const two = imageOf('two');
let counts: PullCounts;
let store: ReturnType<typeof registryStore>;

beforeEach(async () => {
  counts = pullCounts();
  store = registryStore(memoryStore(), { policy: (registry) => tellingPulls(registry, counts.count) });
  await pushImage(store.registry, 'team/app', one, ['1', 'same']);
  await pushImage(store.registry, 'team/app', two, ['2']);
});

const pull = (repository: string, what: string, by: 'tag' | 'digest', host?: string) =>
  store.registry.getManifest(repository, what, { pull: by, ...(host !== undefined && { host }) });
const recorded = async () =>
  (await Array.fromAsync(store.objects.list(HISTORY))).filter(({ key }) => parsePulledKey(key) !== undefined);
const pullsOfOne = () => pullsOf(store.objects, 'team/app', one.manifest.digest);

describe('a pull', () => {
  it('is counted for its repository and manifest, by what the client named', async () => {
    await pull('team/app', '1', 'tag');
    await pull('team/app', 'same', 'tag');
    await pull('team/app', one.manifest.digest, 'digest');
    await counts.flush(store.objects);
    expect(await pullsOfOne()).toEqual({ byTag: 2, byDigest: 1, last: expect.any(Date) });
    expect(await pullsOf(store.objects, 'team/app', two.manifest.digest)).toBeUndefined();
    expect(await pullsOf(store.objects, 'team/other', one.manifest.digest)).toBeUndefined();
  });

  it('is written only when it is flushed, and added to what was there', async () => {
    await pull('team/app', '1', 'tag');
    expect(await pullsOfOne()).toBeUndefined();
    await counts.flush(store.objects);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3600_000 });
    try {
      await pull('team/app', '1', 'tag');
      await counts.flush(store.objects);
      expect(await pullsOfOne()).toEqual({ byTag: 2, byDigest: 0, last: new Date() });
    } finally {
      vi.useRealTimers();
    }
  });

  it('with a host counts where the image is, by its tag, although the record of the full name leads to a digest', async () => {
    await store.names.set('quay.io', 'team/app', '1', one.manifest.digest);
    await pull('quay.io/team/app', '1', 'tag');
    await pull('team/app', '1', 'tag', 'quay.io');
    await counts.flush(store.objects);
    expect(await pullsOfOne()).toMatchObject({ byTag: 2, byDigest: 0 });
  });

  it('is none if somebody only looks, or the image is not there', async () => {
    await store.registry.getManifest('team/app', '1');
    await store.registry.statManifest('team/app', '1');
    await expect(pull('team/app', 'none', 'tag')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
    await counts.flush(store.objects);
    expect(await recorded()).toEqual([]);
  });
});

describe('a record of pulls', () => {
  it('goes with its manifest', async () => {
    await pull('team/app', '1', 'tag');
    await pull('team/app', '2', 'tag');
    await counts.flush(store.objects);
    await store.registry.deleteTag('team/app', '2', { unneeded: true });
    await store.registry.deleteManifest('team/app', one.manifest.digest);
    expect(await recorded()).toEqual([]);
  });

  it('of a manifest that went before it was written is not written', async () => {
    await pull('team/app', '1', 'tag');
    await store.registry.deleteManifest('team/app', one.manifest.digest);
    await counts.flush(store.objects);
    expect(await recorded()).toEqual([]);
  });

  it('of a manifest that another program deleted is forgotten; other records stay', async () => {
    await pull('team/app', '1', 'tag');
    await pull('team/app', '2', 'tag');
    await counts.flush(store.objects);
    await manifestHistory(store.objects).losesTag('team/app', one.manifest.digest);
    await store.objects.delete([revisionLinkKey('team/app', one.manifest.digest)]);
    await forgetLostPulls(store.objects, async () => undefined);
    expect(await pullsOfOne()).toBeUndefined();
    expect(await pullsOf(store.objects, 'team/app', two.manifest.digest)).toMatchObject({ byTag: 1 });
    expect(await manifestHistory(store.objects).goesWithoutTag('team/app', one.manifest.digest)).toBe(true);
  });

  it.each(['', '{', '[]', '{"byTag":1}', '{"byTag":-1,"byDigest":"x","last":"yesterday"}'])(
    'that is garbled [%s] counts as none',
    async (text) => {
      await store.objects.put(pulledKey('team/app', one.manifest.digest), Buffer.from(text));
      expect(await pullsOfOne()).toBeUndefined();
      await pull('team/app', '1', 'tag');
      await counts.flush(store.objects);
      expect(await pullsOfOne()).toMatchObject({ byTag: 1, byDigest: 0 });
    },
  );

  it('is no reason for a manifest to go or stay', async () => {
    await pull('team/app', '1', 'tag');
    await counts.flush(store.objects);
    expect(
      await Array.fromAsync(
        manifestHistory(store.objects).untagged('team/app', await taggedDigests(store.objects, 'team/app')),
      ),
    ).toEqual([]);
  });

  it('has a key from which its manifest is read; other keys have none', () => {
    const { digest } = indexOf([]);
    expect(parsePulledKey(pulledKey('a/b-c', digest))).toEqual({ repository: 'a/b-c', digest });
    for (const key of [`${HISTORY}x`, HISTORY, pulledKey('a', digest).replace('pulled', 'by-tag')])
      expect(parsePulledKey(key)).toBeUndefined();
  });
});

describe('where nothing can be written', () => {
  const failing = (code: 'NO_SPACE' | 'READ_ONLY'): Objects => ({
    ...store.objects,
    put: () => Promise.reject(new ImagesError(code, 'no')),
  });

  it('because the disk is full, pulls are kept for the next time', async () => {
    await pull('team/app', '1', 'tag');
    await counts.flush(failing('NO_SPACE'));
    await pull('team/app', '1', 'tag');
    await counts.flush(store.objects);
    expect(await pullsOfOne()).toMatchObject({ byTag: 2 });
  });

  it('because the store is read-only, they are dropped', async () => {
    await pull('team/app', '1', 'tag');
    await counts.flush(failing('READ_ONLY'));
    await counts.flush(store.objects);
    expect(await pullsOfOne()).toBeUndefined();
  });
});
