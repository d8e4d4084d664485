import { expect, it } from 'vitest';
import { attestation, buildImage, buildIndex, type FixtureImage, layerOf } from '../../../test/fixtures/image.ts';
import { parsePlatformChoice } from '../../oci/platform.ts';
import { formatReference, fullReference, parseReference } from '../../oci/reference.ts';
import { hostsAndStore } from '../testing/hosts-and-store.ts';
import { lackingPlatforms } from './lacking-platforms.ts';

const forPlatform = (architecture: string, name = 'a'): FixtureImage =>
  buildImage({ architecture, layers: [layerOf([{ name, data: architecture }])] });
const amd64 = forPlatform('amd64');
const arm64 = forPlatform('arm64');

/** The images that lack the platforms, and those for which it is unclear. */
async function answers(images: Readonly<Record<string, FixtureImage>>, platforms: string) {
  await using ends = await hostsAndStore();
  const names = [];
  for (const [name, image] of Object.entries(images)) names.push(await ends.load(`x.io/a/${name}:1`, image));
  const { lacking, unclear } = await lackingPlatforms(names, parsePlatformChoice(platforms), ends);
  expect(ends.asked).toEqual([]);
  const short = (name: { readonly path: string }) => name.path.slice(2);
  return { lacking: lacking.map(short), unclear: unclear.map(short) };
}

const both = buildIndex([amd64, arm64]);
const one = buildIndex([amd64]);

it('an index lacks the platforms that no child is for', async () => {
  expect(await answers({ both, one }, 'linux/arm64')).toEqual({ lacking: ['one'], unclear: [] });
  expect(await answers({ both, one }, 'linux/amd64')).toEqual({ lacking: [], unclear: [] });
  expect(await answers({ both, one }, 'linux/amd64,linux/s390x')).toEqual({ lacking: [], unclear: [] });
  expect(await answers({ both, one }, 'all')).toEqual({ lacking: [], unclear: [] });
});

it('an index in an index is looked into', async () => {
  expect(await answers({ nested: buildIndex([both]) }, 'all')).toEqual({ lacking: [], unclear: [] });
});

it('an index lacks what an index in it lacks', async () => {
  const nested = buildIndex([{ ...both, children: [amd64] }]);
  expect(await answers({ nested }, 'all')).toEqual({ lacking: ['nested'], unclear: [] });
});

it('an index lacks the platform of a child that is not here', async () => {
  await using ends = await hostsAndStore();
  const name = await ends.load('x.io/a/b:1', { ...both, children: [amd64] });
  expect((await lackingPlatforms([name], 'all', ends)).lacking).toEqual([name]);
  expect((await lackingPlatforms([name], parsePlatformChoice('linux/amd64'), ends)).lacking).toEqual([]);
});

it('for a single image for another platform it is unknown what its host has', async () => {
  expect(await answers({ amd64 }, 'linux/amd64')).toEqual({ lacking: [], unclear: [] });
  expect(await answers({ amd64 }, 'linux/arm64')).toEqual({ lacking: [], unclear: ['amd64'] });
  expect(await answers({ amd64 }, 'all')).toEqual({ lacking: [], unclear: ['amd64'] });
});

it('an artifact without a file system lacks no platform', async () => {
  const artifact = attestation('provenance');
  expect(await answers({ artifact }, 'linux/arm64')).toEqual({ lacking: [], unclear: [] });
});

it('an image that is named by digest lacks no platform', async () => {
  await using ends = await hostsAndStore();
  await ends.load('x.io/a/b:1', amd64);
  const name = fullReference(parseReference(`x.io/a/b@${amd64.manifest.digest}`));
  expect(await lackingPlatforms([name], parsePlatformChoice('linux/arm64'), ends)).toEqual({
    lacking: [],
    unclear: [],
  });
});

it('an image that is not here lacks every platform', async () => {
  await using ends = await hostsAndStore();
  const name = fullReference(parseReference('x.io/a/b:1'));
  expect((await lackingPlatforms([name], 'all', ends)).lacking.map(formatReference)).toEqual(['x.io/a/b:1']);
});
