// The number of files opened for a page of tags or of the catalogue does not grow with the list.
import { describe, expect, it } from 'vitest';
import { imageOf, indexOf, pushImage } from '../../../test/contract/content.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { ReadOptions } from '../../registry/contract.ts';
import { hostNames } from '../../registry/policies/host-names.ts';
import { stagedStore } from '../drivers/staged-store.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { nameRecords } from './name-records.ts';
import { storedRegistry } from './stored-registry.ts';

const image = imageOf('listed');
const { digest } = image.manifest;

async function newRegistry() {
  let looks = 0;
  const inner = createMemoryObjectStore();
  const count = <Args extends unknown[], Result>(call: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      looks += 1;
      return call(...args);
    };
  };
  const objects: ObjectStore = {
    ...inner,
    get: count(inner.get),
    stat: count(inner.stat),
    list: count(inner.list),
    any: count(inner.any),
    children: count(inner.children),
  };
  const store = stagedStore(objects);
  const names = nameRecords(store.objects);
  const registry = hostNames(storedRegistry(store), names);
  const during = async <T>(work: () => Promise<T>) => {
    looks = 0;
    const result = await work();
    return { result, looks };
  };
  return { registry, names, during };
}

async function take(all: AsyncIterable<string>, count: number): Promise<string[]> {
  const taken: string[] = [];
  for await (const one of all) {
    if (taken.length === count) break;
    taken.push(one);
  }
  return taken;
}

const tagsOf = (count: number) => Array.from({ length: count }, (_, at) => `v${at}`);

describe('a page of tags', () => {
  it.each([
    ['by its name', 'library/app', {}],
    ['by another spelling of it', 'app', {}],
    ['at the host that its tags are recorded for', 'app', { host: 'docker.io' }],
    ['under the name with the host', 'docker.io/library/app', {}],
    ['at a host that has none of them', 'app', { host: 'quay.io' }],
  ] as const)('asked for %s costs the same for ten times as many', async (_, repository, options: ReadOptions) => {
    const looks = [];
    for (const size of [100, 1000]) {
      const { registry, names, during } = await newRegistry();
      await pushImage(registry, 'library/app', image, tagsOf(size));
      for (const tag of tagsOf(size)) await names.set('docker.io', 'library/app', tag, digest);
      const after = size === 100 ? 'v5' : 'v50';
      const page = await during(() => take(registry.tags(repository, after, options), 20));
      expect(page.result).toHaveLength(options.host === 'quay.io' ? 0 : 20);
      looks.push(page.looks);
    }
    expect(looks[1]).toBe(looks[0]);
    expect(looks[1]).toBeLessThan(120);
  });

  it('follows the one before it, for tags in several repositories and recorded names', async () => {
    const { registry, names } = await newRegistry();
    const tags = tagsOf(90);
    await pushImage(registry, 'app', image, tags.slice(0, 40));
    await pushImage(registry, 'library/app', image, tags.slice(30, 70));
    for (const tag of tags.slice(60)) await names.set('docker.io', 'library/app', tag, digest);
    for (const [name, wanted] of [
      ['app', tags.slice(0, 70)],
      ['docker.io/app', tags],
    ] as const) {
      const paged: string[] = [];
      for (let page = ['']; page.length > 0; ) {
        page = await take(registry.tags(name, paged.at(-1) ?? ''), 7);
        paged.push(...page);
      }
      expect(paged).toEqual([...wanted].sort());
    }
  });

  it('of a repository that is not there is NAME_UNKNOWN; one beyond the end is empty', async () => {
    const { registry } = await newRegistry();
    await pushImage(registry, 'library/app', image, ['1']);
    expect(await take(registry.tags('app', '9'), 5)).toEqual([]);
    await expect(take(registry.tags('none/app'), 5)).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
    await expect(take(registry.tags('none/app', '', { host: 'quay.io' }), 5)).rejects.toMatchObject({
      code: 'NAME_UNKNOWN',
    });
  });
});

describe('a page of referrers', () => {
  it.each([
    ['by its name', 'library/app', {}],
    ['by another spelling of it', 'app', {}],
    ['at a host', 'app', { host: 'docker.io' }],
  ] as const)('asked for %s costs the same for ten times as many', async (_, repository, options: ReadOptions) => {
    const looks = [];
    for (const size of [30, 300]) {
      const { registry, during } = await newRegistry();
      const subject = { mediaType: image.manifest.mediaType, digest, size: image.manifest.size };
      const referring = Array.from({ length: size }, (_, at) => indexOf([], { subject, annotations: { at: `${at}` } }));
      for (const each of referring) await registry.putManifest('library/app', each, []);
      const digests = referring.map((each) => each.digest).sort();
      const after = digests[9] ?? '';
      const found = registry.referrers(repository, digest, undefined, { ...options, after });
      const page = await during(() => take(digestsOf(found), 5));
      expect(page.result).toEqual(digests.slice(10, 15));
      looks.push(page.looks);
    }
    expect(looks[1]).toBe(looks[0]);
    expect(looks[1]).toBeLessThan(40);
  });

  it('follows the one before it, where those of a tag are between those that are recorded', async () => {
    const { registry } = await newRegistry();
    const subject = { mediaType: image.manifest.mediaType, digest, size: image.manifest.size };
    const artifacts = Array.from({ length: 12 }, (_, at) =>
      indexOf([], { ...(at % 2 === 0 && { subject }), annotations: { at: `${at}` } }),
    );
    for (const each of artifacts) await registry.putManifest('app', each, []);
    const ofTag = artifacts.slice(3).toReversed();
    await registry.putManifest('app', indexOf([...ofTag, ...ofTag]), [digest.replace(':', '-')]);
    const paged: string[] = [];
    for (let page = ['']; page.length > 0; ) {
      page = await take(digestsOf(registry.referrers('app', digest, undefined, { after: paged.at(-1) ?? '' })), 2);
      paged.push(...page);
    }
    const wanted = artifacts.filter((_, at) => at >= 3 || at % 2 === 0);
    expect(paged).toEqual(wanted.map((each) => each.digest).sort());
  });
});

async function* digestsOf(all: AsyncIterable<Descriptor>): AsyncGenerator<string> {
  for await (const { digest: one } of all) yield one;
}

describe('a page of the catalogue', () => {
  it('costs the same for ten times as many repositories, and whatever is in them', async () => {
    const looks = [];
    for (const size of [30, 300]) {
      const { registry, during } = await newRegistry();
      for (const name of tagsOf(size)) await pushImage(registry, `team/${name}`, image, tagsOf(size / 30));
      const page = await during(() => take(registry.repositories('team/v2'), 5));
      expect(page.result).toHaveLength(5);
      looks.push(page.looks);
    }
    expect(looks[1]).toBe(looks[0]);
    expect(looks[1]).toBeLessThan(30);
  });
});
