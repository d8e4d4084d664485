// A page of 100 of 10,000 repositories, or tags, costs about what it costs where there are no more than 100: so many calls of the object store.
import { expect, it } from 'vitest';
import { imageOf } from '../../../test/contract/content.ts';
import { hostNames } from '../../registry/policies/host-names.ts';
import { stagedStore } from '../drivers/staged-store.ts';
import { revisionLinkKey, tagLinkKey } from '../layout/registry-keys.ts';
import { createMemoryObjectStore } from '../object-store/memory-object-store.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { nameRecords } from './name-records.ts';
import { storedRegistry } from './stored-registry.ts';

const PAGE = 100;
const MANY = 10_000;
const { digest } = imageOf('listed').manifest;
const numbered = (at: number) => `n${String(at).padStart(5, '0')}`;

/** A registry whose links are these keys, and the calls that a page costs. */
async function registryWith(keys: readonly string[]) {
  let calls = 0;
  const inner = createMemoryObjectStore();
  for (const key of keys) await inner.put(key, Buffer.from(digest));
  const counted = <Args extends unknown[], Result>(call: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      calls += 1;
      return call(...args);
    };
  };
  const objects: ObjectStore = {
    ...inner,
    get: counted(inner.get),
    stat: counted(inner.stat),
    list: counted(inner.list),
    any: counted(inner.any),
    children: counted(inner.children),
  };
  const store = stagedStore(objects);
  const registry = hostNames(storedRegistry(store), nameRecords(store.objects));
  const costOf = async (list: AsyncIterable<string>) => {
    calls = 0;
    let taken = 0;
    for await (const _ of list) if (++taken === PAGE) break;
    expect(taken).toBe(PAGE);
    return calls;
  };
  return { registry, costOf };
}

const repositoryKeys = (count: number) =>
  Array.from({ length: count }, (_, at) => revisionLinkKey(`team/${numbered(at)}`, digest));
const tagKeys = (count: number) => [
  revisionLinkKey('team/app', digest),
  ...Array.from({ length: count }, (_, at) => tagLinkKey('team/app', numbered(at))),
];

it.each(['', 'the middle', 'the end'])('a page of repositories, after [%s]', async (where) => {
  const costs: number[] = [];
  for (const count of [PAGE + 1, MANY]) {
    const { registry, costOf } = await registryWith(repositoryKeys(count));
    const from = { '': 0, 'the middle': (count - PAGE) >> 1, 'the end': count - PAGE }[where] ?? 0;
    costs.push(await costOf(registry.repositories(from === 0 ? undefined : `team/${numbered(from - 1)}`)));
  }
  const [small = 0, large = 0] = costs;
  expect(large).toBeLessThanOrEqual(3 * small);
});

it.each(['', 'the middle', 'the end'])('a page of tags, after [%s]', async (where) => {
  const costs: number[] = [];
  for (const count of [PAGE + 1, MANY]) {
    const { registry, costOf } = await registryWith(tagKeys(count));
    const from = { '': 0, 'the middle': (count - PAGE) >> 1, 'the end': count - PAGE }[where] ?? 0;
    costs.push(await costOf(registry.tags('team/app', from === 0 ? undefined : numbered(from - 1))));
  }
  const [small = 0, large = 0] = costs;
  expect(large).toBeLessThanOrEqual(3 * small);
});
