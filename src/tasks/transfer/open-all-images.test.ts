import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, type FixtureImage, layerOf } from '../../../test/fixtures/image.ts';
import { writeLayout } from '../../../test/fixtures/layout.ts';
import { formatReference } from '../../oci/reference.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { openAllImages } from './open-all-images.ts';

const of = (data: string) => buildImage({ layers: [layerOf([{ name: 'a', data }])] });

/** The names of all images in a layout that contains `images`. Returns `undefined` if `text` means one of them. */
async function namesIn(images: Readonly<Record<string, FixtureImage>>, text = (path: string) => `oci:${path}`) {
  await using world = await temporaryWorld();
  const path = await writeLayout(join(world.path, 'layout'), images);
  await using all = await openAllImages(text(path), world.settings(), undefined);
  return all?.images.map(({ name }) => formatReference(name));
}

describe('a layout', () => {
  it('gives all its images, each under its name', async () => {
    expect(await namesIn({ 'quay.io/a/b:1': of('1'), 'app:2': of('2') })).toEqual(['quay.io/a/b:1', 'app:2']);
  });

  it('gives one image if that is named', async () => {
    expect(await namesIn({ 'a:1': of('1') }, (path) => `oci:${path}:a:1`)).toBeUndefined();
    expect(await namesIn({ 'a:1': of('1') }, (path) => `oci:${path}:@0`)).toBeUndefined();
  });

  it('with an image that has a bare tag, or no name, needs a name', async () => {
    await expect(namesIn({ latest: of('1') })).rejects.toMatchObject({ code: 'USAGE' });
    const error = await namesIn({ 'a:1': of('1'), latest: of('2') }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'USAGE', message: expect.stringContaining('image @1') });
  });

  it('with two spellings of one name gives that image once, and refuses two images under it', async () => {
    expect(await namesIn({ 'app:1': of('1'), 'docker.io/library/app:1': of('1') })).toEqual(['app:1']);
    await expect(namesIn({ 'app:1': of('1'), 'docker.io/library/app:1': of('2') })).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
    });
  });
});

it.each(['docker://quay.io/a/b:1', 'dir:/nowhere', 'a:1'])('%s is always a single image', async (text) => {
  await using world = await temporaryWorld();
  expect(await openAllImages(text, world.settings(), undefined)).toBeUndefined();
});
