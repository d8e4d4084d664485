import { describe, expect, it } from 'vitest';
import { parseReference } from '../../oci/reference.ts';
import { overlayImage } from '../testing/overlay-image.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { buildOverlayImage } from './build-overlay-image.ts';

const DOCKERFILE = 'FROM scratch\nADD ovl.tar /\n';
const MANIFEST = JSON.stringify({
  acKind: 'ImageManifest',
  name: 'example.com/a/b',
  labels: [{ name: 'version', value: '1.2' }],
});

async function nameOf(directory: string, files: Readonly<Record<string, string>>): Promise<string> {
  await using world = await temporaryWorld();
  return (await buildOverlayImage(await overlayImage(world, directory, { files }), world.settings())).name;
}

describe('the image of an overlay', () => {
  it.each([
    ['ovl/MetalLB/image', { Dockerfile: DOCKERFILE }, 'library/metallb:latest'],
    ['ovl/some_thing.else-', { Dockerfile: DOCKERFILE }, 'library/some-thing-else:latest'],
    ['ovl/--/image', { Dockerfile: DOCKERFILE }, 'library/image:latest'],
    ['ovl/x/image', { Dockerfile: DOCKERFILE, 'manifest.json': MANIFEST }, 'example.com/a/b:1.2'],
    ['ovl/x/image', { Dockerfile: DOCKERFILE, 'manifest.json': '{"name":"web app"}' }, 'library/x:latest'],
    ['ovl/x/image', { 'manifest.json': MANIFEST }, 'example.com/a/b:1.2'],
  ])('in %s with %o is called %s', async (directory, files, name) => {
    expect(await nameOf(directory, files)).toBe(name);
  });

  it('is opened from the store, each time anew', async () => {
    await using world = await temporaryWorld();
    const directory = await overlayImage(world, 'ovl/x/image', { files: { Dockerfile: DOCKERFILE } });
    const built = await buildOverlayImage(directory, world.settings());
    for (const _ of [1, 2]) {
      await using opened = await built.open({});
      expect(opened.name).toEqual(parseReference('library/x:latest'));
      expect((await opened.source.root()).bytes.length).toBeGreaterThan(0);
    }
  });

  it('is built again each time: the script may write something else', async () => {
    await using world = await temporaryWorld();
    const rootOf = async (data: string) => {
      const image = { files: { 'manifest.json': MANIFEST }, archived: [{ name: 'file', data }] };
      const built = await buildOverlayImage(await overlayImage(world, 'ovl/x/image', image), world.settings());
      await using opened = await built.open({});
      return (await opened.source.root()).digest;
    };
    const first = await rootOf('one');
    expect(await rootOf('two')).not.toBe(first);
  });

  it('passes on the output of the script, and warnings', async () => {
    await using world = await temporaryWorld();
    const files = { Dockerfile: 'FROM scratch\nADD ovl.tar /\nMAINTAINER me\n' };
    await buildOverlayImage(await overlayImage(world, 'ovl/x/image', { files }), world.settings());
    expect(world.notes).toContain('said');
    expect(world.notes).toContainEqual(expect.stringMatching(/^WARNING: .*MAINTAINER/));
  });
});
