import { describe, expect, it } from 'vitest';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import type { Settings } from '../settings.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { type MakeRequest, makeItems, pulledName } from './make-items.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

async function items(request: Partial<MakeRequest>, settings: (all: Settings) => Settings = (all) => all) {
  await using world = await temporaryWorld();
  const found = await makeItems({ items: [], imagesOf: [], ...request }, settings(world.settings()), {
    pause: 'pause:3',
  });
  return found.map(({ text, name }) => [text, name && formatReference(name)]);
}

describe('items of make', () => {
  it('are images by the names that a container runtime uses', async () => {
    expect(await items({ items: ['alpine:3', '"quay.io/a/b:1"', `a:1@${DIGEST}`] })).toEqual([
      ['alpine:3', 'docker.io/library/alpine:3'],
      ['quay.io/a/b:1', 'quay.io/a/b:1'],
      [`a:1@${DIGEST}`, `docker.io/library/a@${DIGEST}`],
    ]);
  });

  it('are locations: of a registry with a name, of others without', async () => {
    expect(await items({ items: ['docker://quay.io/a:1', 'oci:/dir:x'] })).toEqual([
      ['docker://quay.io/a:1', 'quay.io/a:1'],
      ['oci:/dir:x', undefined],
    ]);
  });

  it('are taken once each, whatever their spelling', async () => {
    expect(await items({ items: ['alpine:3', 'docker.io/library/alpine:3'] })).toEqual([
      ['docker.io/library/alpine:3', 'docker.io/library/alpine:3'],
    ]);
  });

  it('are the images that the input uses, for `-`', async () => {
    const input = oneChunk(Buffer.from('kind: Pod\nspec: {containers: [{image: "quay.io/c:2"}]}\n'));
    expect(await items({ items: ['-'], input })).toEqual([['quay.io/c:2', 'quay.io/c:2']]);
  });

  it('are the images that an overlay uses, with the pause image', async () => {
    await using world = await temporaryWorld();
    await world.file('ovl/pod.yaml', 'kind: Pod\nspec: {containers: [{image: "quay.io/c:2"}]}\n');
    const found = await makeItems({ items: [], imagesOf: [`${world.path}/ovl`] }, world.settings(), {
      pause: 'pause:3',
    });
    expect(found.map(({ text }) => text)).toEqual(['quay.io/c:2', 'pause:3']);
  });

  it('that are neither an image nor an overlay are refused', async () => {
    for (const item of ['nothing', 'nothing/image']) {
      await expect(items({ items: [item] })).rejects.toMatchObject({ code: 'OVERLAY_UNKNOWN' });
    }
  });

  it('with names of images that are built here are not asked for at other registries', async () => {
    await using world = await temporaryWorld();
    const [item] = await makeItems({ items: ['app:local'], imagesOf: [] }, world.settings(), {});
    await expect(item?.open({})).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
      hint: expect.stringContaining('mkimage'),
    });
  });
});

it.each([
  ['a', 'docker.io/library/a:latest'],
  ['x.io/a:1', 'x.io/a:1'],
  [`x.io/a:1@${DIGEST}`, `x.io/a@${DIGEST}`],
])('%s is pulled as %s', (text, name) => {
  expect(formatReference(pulledName(parseReference(text)))).toBe(name);
});
