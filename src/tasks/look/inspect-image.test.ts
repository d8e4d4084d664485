import { describe, expect, it } from 'vitest';
import { buildImage, buildIndex, type FixtureImage, type ImageOptions, layerOf } from '../../../test/fixtures/image.ts';
import { ImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { type Platform, parsePlatform } from '../../oci/platform.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import { emptyRegistry } from '../../server/testing/content.ts';
import { parseRegistryAddress } from '../private-registry/local-registry.ts';
import { hostsAndStore, putFixture } from '../testing/hosts-and-store.ts';
import { inspectImage } from './inspect-image.ts';

const LAYER = layerOf([{ name: 'a', data: 'a' }]);
const imageFor = (architecture: string, options: Partial<ImageOptions> = {}) =>
  buildImage({ architecture, layers: [LAYER], ...options });
const OWN = machinePlatform().architecture;
const OTHER = OWN === 'arm64' ? 'amd64' : 'arm64';

/** A registry over HTTP as tasks see it: without a store in process. */
async function remote(image: FixtureImage, change: (registry: Registry) => Registry = (registry) => registry) {
  const registry = emptyRegistry();
  await putFixture(registry, { path: 'x/y', tag: '1' }, image);
  return { label: 'remote', registry: change(registry), address: parseRegistryAddress('r.io:5000') };
}

async function inspect(image: FixtureImage, platform?: Platform) {
  return await inspectImage(parseReference('x/y:1'), await remote(image), {
    settings: {},
    ...(platform && { platform }),
  });
}

describe('an inspected image', () => {
  it('has the keys of skopeo, in its order', async () => {
    const image = imageFor(OWN, { labels: { a: 'b' }, env: ['PATH=/bin'], kind: 'docker' });
    const { inspection, root, config } = await inspect(image);
    const [own, layer] = image.blobs;
    expect(JSON.stringify(inspection)).toBe(
      JSON.stringify({
        Name: 'r.io:5000/x/y',
        Digest: image.manifest.digest,
        RepoTags: ['1'],
        Created: '2024-01-02T03:04:05Z',
        DockerVersion: '',
        Labels: { a: 'b' },
        Architecture: OWN,
        Os: 'linux',
        Layers: [layer?.digest],
        LayersData: [
          { MIMEType: layer?.mediaType, Digest: layer?.digest, Size: layer?.bytes.length, Annotations: null },
        ],
        Env: ['PATH=/bin'],
      }),
    );
    expect(Buffer.from(root.bytes)).toEqual(Buffer.from(image.manifest.bytes));
    expect(Buffer.from(config)).toEqual(Buffer.from(own?.bytes ?? []));
  });

  it('lacks what its config does not say', async () => {
    const lies = { created: undefined, config: undefined, history: undefined, docker_version: '1.2' };
    const { inspection } = await inspect(imageFor(OWN, { lies }));
    expect(inspection).toMatchObject({ Created: null, Labels: null, Env: null, DockerVersion: '1.2' });
    const nulls = { config: { Labels: null, Env: null }, created: 7 };
    expect((await inspect(imageFor(OWN, { lies: nulls }))).inspection).toMatchObject({
      Created: null,
      Labels: null,
      Env: null,
    });
  });

  it.each([[{ Labels: ['a'] }], [{ Env: 'PATH=/bin' }]])(
    'of a wrong config is MANIFEST_INVALID: %j',
    async (config) => {
      await expect(inspect(imageFor(OWN, { lies: { config } }))).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    },
  );

  it('has no tags where the registry knows none of the repository', async () => {
    const refuse = (code: 'NAME_UNKNOWN' | 'DENIED') => (registry: Registry) => ({
      ...registry,
      tags: async function* () {
        yield* [] as string[];
        throw new ImagesError(code, 'no tags');
      },
    });
    const options = { settings: {} };
    const reference = parseReference('x/y:1');
    const { inspection } = await inspectImage(reference, await remote(imageFor(OWN), refuse('NAME_UNKNOWN')), options);
    expect(inspection.RepoTags).toEqual([]);
    const denied = inspectImage(reference, await remote(imageFor(OWN), refuse('DENIED')), options);
    await expect(denied).rejects.toMatchObject({ code: 'DENIED' });
  });

  it('that is not there is named', async () => {
    const there = await remote(imageFor(OWN));
    await expect(inspectImage(parseReference('x/y:2'), there, { settings: {} })).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
      message: 'not in the private registry [x/y:2]',
    });
  });
});

describe('inspecting an index', () => {
  const index = buildIndex([imageFor(OTHER), imageFor(OWN)]);

  it('describes the image for the platform, or for this machine, with the digest of the index', async () => {
    const { inspection, root } = await inspect(index);
    expect(inspection).toMatchObject({ Architecture: OWN, Digest: index.manifest.digest });
    expect(root.digest).toBe(index.manifest.digest);
    const other = await inspect(index, parsePlatform(`linux/${OTHER}`));
    expect(other.inspection).toMatchObject({ Architecture: OTHER, Digest: index.manifest.digest });
  });

  it('describes the first image if none is for this machine', async () => {
    expect((await inspect(buildIndex([imageFor('riscv64')]))).inspection.Architecture).toBe('riscv64');
  });

  it('fails for a platform that is not here, and says how to fetch its image', async () => {
    await expect(inspect(index, parsePlatform('linux/s390x'))).rejects.toMatchObject({
      code: 'PLATFORM_UNKNOWN',
      hint: '`images lreg_cache --platform=OS/ARCH` fetches it.',
    });
  });
});

describe('inspecting a single image', () => {
  it('checks the platform if one is named', async () => {
    const named = parsePlatform('linux/s390x');
    await expect(inspect(imageFor(OTHER), named)).rejects.toMatchObject({ code: 'PLATFORM_UNKNOWN' });
    expect((await inspect(imageFor(OTHER))).inspection.Architecture).toBe(OTHER);
  });
});

it('inspecting an image in the store lists the tags of the host that is named', async () => {
  await using ends = await hostsAndStore();
  await ends.load('a.io/x/y:1', imageFor(OWN));
  await ends.load('b.io/x/y:2', imageFor(OTHER));
  const { inspection } = await inspectImage(parseReference('a.io/x/y:1'), ends.registry, { settings: {} });
  expect(inspection).toMatchObject({ Name: 'x/y', RepoTags: ['1'] });
  const { inspection: all } = await inspectImage(parseReference('x/y:1'), ends.registry, { settings: {} });
  expect(all.RepoTags).toEqual(['1', '2']);
});
