import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, buildIndex, layerOf, randomLayer } from '../../../test/fixtures/image.ts';
import { writeLayout } from '../../../test/fixtures/layout.ts';
import type { CopyEvent } from '../../copy/events.ts';
import { makeBlob, makeImage, push } from '../../copy/testing/images.ts';
import { memoryRegistry } from '../../copy/testing/memory-registry.ts';
import { findPath } from '../../rootfs/tree.ts';
import { ociSource } from '../../transports/layout/layout-source.ts';
import { registrySource } from '../../transports/registry-source.ts';
import type { Transport } from '../../transports/transport.ts';
import { hostsAndStore } from '../testing/hosts-and-store.ts';
import { laidOut } from '../testing/laid-out-image.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { openImage, openTree } from './tree-source.ts';

const base = layerOf([{ name: 'etc/' }, { name: 'etc/old', data: 'old' }]);
const image = buildImage({ layers: [base, layerOf([{ name: 'etc/.wh.old' }, { name: 'etc/new', data: 'new' }])] });
const arm = buildImage({ layers: [layerOf([{ name: 'arm' }])], architecture: 'arm64' });

describe('an image to look into', () => {
  it('is opened without reading its layers', async () => {
    await using layout = await laidOut({ app: image });
    const events: CopyEvent[] = [];
    await using opened = await openImage(
      { image: layout.named('app'), onEvent: (event) => events.push(event) },
      layout.settings,
    );
    expect([opened.raw.digest, opened.layers.length, events]).toEqual([image.manifest.digest, 2, []]);
  });

  it('is the one for the platform', async () => {
    await using layout = await laidOut({ app: buildIndex([image, arm]) });
    const platform = { os: 'linux', architecture: 'arm64' };
    await using opened = await openImage({ image: layout.named('app'), platform }, layout.settings);
    expect(opened.raw.digest).toBe(arm.manifest.digest);
    const s390x = { os: 'linux', architecture: 's390x' };
    await expect(openImage({ image: layout.named('app'), platform: s390x }, layout.settings)).rejects.toMatchObject({
      code: 'PLATFORM_UNKNOWN',
    });
  });
});

describe('the tree of an image', () => {
  it('is what a container sees; reading it is reported', async () => {
    await using layout = await laidOut({ app: image });
    const events: CopyEvent[] = [];
    await using opened = await openTree(
      { image: layout.named('app'), onEvent: (event) => events.push(event) },
      layout.settings,
    );
    expect(opened.indexes).toHaveLength(2);
    expect(['etc/old', 'etc/new'].map((path) => findPath(opened.tree, path) !== undefined)).toEqual([false, true]);
    const bytes = image.blobs.slice(1).reduce((sum, layer) => sum + layer.bytes.length, 0);
    expect(events.findLast(({ type }) => type === 'plan')).toMatchObject({ blobs: 2, bytes, alreadyThere: 0 });
  });

  it('of an image in the store is read from the layers once, and remembered', async () => {
    await using ends = await hostsAndStore();
    await ends.load('quay.io/a/b:1', image);
    const settings = ends.world.settings({}, { data: join(ends.world.path, 'store') });
    const read = async () => {
      const events: CopyEvent[] = [];
      await using opened = await openTree({ image: 'quay.io/a/b:1', onEvent: (event) => events.push(event) }, settings);
      expect(findPath(opened.tree, 'etc/new')).toBeDefined();
      return events.filter(({ type }) => type === 'blob').length;
    };
    expect([await read(), await read()]).toEqual([2, 0]);
  });

  it('of layers that are not archives fails, and its source is closed', async () => {
    let closed = 0;
    const registry = memoryRegistry();
    await push(registry, 'a:1', makeImage({ layers: [makeBlob('no archive')] }));
    const source = {
      ...registrySource(registry, { path: 'a', tag: '1' }),
      [Symbol.asyncDispose]: async () => void closed++,
    };
    const transports: readonly Transport[] = [{ name: 'own', openSource: async () => ({ source }) }];
    await using world = await temporaryWorld();
    const settings = world.settings({}, { transports });
    await expect(openTree({ image: 'own:x' }, settings)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:TAR|COMPRESSION)_INVALID$/),
    });
    expect(closed).toBe(1);
    // Neither is it left open where not even a manifest can be read.
    const broken = { ...source, root: async () => Promise.reject(new Error('no root')) };
    const none = world.settings({}, { transports: [{ name: 'own', openSource: async () => ({ source: broken }) }] });
    await expect(openTree({ image: 'own:x' }, none)).rejects.toThrow('no root');
    expect(closed).toBe(2);
  });

  it('stops at a signal, and its source is closed', async () => {
    let closed = 0;
    await using world = await temporaryWorld();
    const path = await writeLayout(join(world.path, 'layout'), {
      '1': buildImage({ layers: [randomLayer('large', 1_000_000)] }),
    });
    const source = { ...ociSource({ path }), [Symbol.asyncDispose]: async () => void closed++ };
    const transports: readonly Transport[] = [{ name: 'own', openSource: async () => ({ source }) }];
    const end = new AbortController();
    const onEvent = ({ type }: CopyEvent) => type === 'progress' && end.abort(new Error('enough'));
    const settings = world.settings({}, { transports, signal: end.signal });
    await expect(openTree({ image: 'own:x', onEvent }, settings)).rejects.toThrow('enough');
    expect(closed).toBe(1);
  });
});
