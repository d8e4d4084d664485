import { expect, it } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import type { Registry } from '../../registry/contract.ts';
import { emptyRegistry } from '../../server/testing/content.ts';
import { startServer } from '../../server/testing/start.ts';
import { putFixture } from '../testing/hosts-and-store.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { cacheReferences } from './cache-references.ts';

const version = (data: string) => buildImage({ layers: [layerOf([{ name: 'version', data }])] });
const nothing = () => oneChunk(new Uint8Array());
const platforms = [{ os: 'linux', architecture: 'amd64' }];

async function withHost(work: (host: string, registry: Registry) => Promise<void>): Promise<void> {
  const registry = emptyRegistry();
  await putFixture(registry, { path: 'a/b', tag: '1' }, version('1'));
  await using server = await startServer(registry);
  await work(server.host, registry);
}

it('caching references brings those of the arguments and of the input; the second time nothing is copied', async () => {
  await withHost(async (host, registry) => {
    await using world = await temporaryWorld();
    await putFixture(registry, { path: 'c', tag: '2' }, version('2'));
    const request = () => ({
      references: [`"${host}/a/b:1"`, '-'],
      input: oneChunk(Buffer.from(`kind: Pod\nspec: {containers: [{image: "${host}/c:2"}]}\n`)),
    });
    const first = await cacheReferences(request(), world.settings());
    expect(first.copied).toHaveLength(2);
    expect(first.loaded).toEqual([]);
    const second = await cacheReferences(request(), world.settings(), { platforms });
    expect(second.copied).toEqual([]);
    expect(second.loaded).toEqual([`${host}/a/b:1`, `${host}/c:2`]);
  });
});

it('caching references with refresh brings what has moved at its host, and with force everything', async () => {
  await withHost(async (host, registry) => {
    await using world = await temporaryWorld();
    const request = { references: [`${host}/a/b:1`], input: nothing() };
    await cacheReferences(request, world.settings());
    await putFixture(registry, { path: 'a/b', tag: '1' }, version('2'));
    expect((await cacheReferences(request, world.settings())).copied).toHaveLength(1);
    expect((await cacheReferences(request, world.settings())).copied).toEqual([]);
    expect((await cacheReferences(request, world.settings(), { force: true })).loaded).toEqual([]);
  });
});

it('caching references that goes on lists an invalid one as a failure', async () => {
  await withHost(async (host) => {
    await using world = await temporaryWorld();
    const request = { references: ['A:1', `${host}/a/b:1`], input: nothing() };
    await expect(cacheReferences(request, world.settings())).rejects.toMatchObject({ code: 'REFERENCE_INVALID' });
    const { copied, failed } = await cacheReferences(request, world.settings(), { keepGoing: true });
    expect([copied.length, failed.map(({ image }) => image)]).toEqual([1, ['A:1']]);
  });
});
