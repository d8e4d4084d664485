import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/peers/temporary.ts';
import { isImagesError } from '../oci/errors.ts';
import { manifestDescriptor, type RawManifest, rawManifest } from '../oci/manifest.ts';
import { OCI_INDEX, OCI_LAYER } from '../oci/media-types.ts';
import type { Registry } from '../registry/contract.ts';
import { ociSink } from '../transports/layout/layout-sink.ts';
import { registrySource } from '../transports/registry-source.ts';
import { copy } from './testing/copy.ts';
import { copyOne, FILE_TRANSPORTS, testLocation } from './testing/file-transports.ts';
import { type MadeImage, makeBlob, makeImage, makeIndex, push } from './testing/images.ts';
import { memoryRegistry, sinkInto } from './testing/memory-registry.ts';
import { watchedRegistry } from './testing/watched-registry.ts';

const layers = [makeBlob('base', OCI_LAYER), makeBlob('top', OCI_LAYER)];
const whole = makeImage({ layers });
const arm = makeImage({ layers, platform: 'linux/arm64' });

async function holding(images: Readonly<Record<string, MadeImage>>): Promise<Registry> {
  const registry = memoryRegistry();
  for (const [name, image] of Object.entries(images)) await push(registry, name, image);
  return registry;
}

/** The image with changed fields in its manifest. */
function changed(image: MadeImage, change: (fields: Record<string, unknown>) => object): MadeImage {
  const fields = JSON.parse(Buffer.from(image.manifest.bytes).toString());
  return { ...image, manifest: raw(change(fields)) };
}

function raw(fields: object): RawManifest {
  return rawManifest(Buffer.from(JSON.stringify(fields)));
}

const fewer = changed(whole, (fields) => ({ ...fields, layers: (fields.layers as unknown[]).slice(0, 1) }));
const none = changed(whole, (fields) => ({ ...fields, layers: null }));

describe('an image whose config and manifest disagree', () => {
  it.each([
    ['fewer layers than diffIDs', fewer],
    ['no layers', none],
    ['one image of an index that is so', makeIndex([whole, { ...fewer, platform: 'linux/arm64' }])],
  ])('is copied nowhere: %s', async (_, image) => {
    const from = await holding({ 'app:1': image });
    const to = watchedRegistry(memoryRegistry());
    const copying = copy(['app:1'], { from, to: sinkInto(to.registry), platforms: 'all' });
    await expect(copying).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
      message: expect.stringMatching(/^app:1: .*disagree: 2 diffIDs for [01] layers?$/),
    });
    expect(to.asked.calls.filter((call) => !call.startsWith('stat'))).toEqual([]);
  });

  it.each(FILE_TRANSPORTS)('goes into no %s, which is not made', async (kind) => {
    await using directory = await temporaryDirectory('check');
    const source = registrySource(await holding({ 'app:1': fewer }), { path: 'app', tag: '1' });
    const copying = copyOne(source, testLocation(kind, directory.path, 'to').sink());
    await expect(copying).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    expect(await readdir(directory.path)).toEqual([]);
  });

  it('is found also where the destination has all its blobs', async () => {
    const from = await holding({ 'app:1': whole, 'app:2': fewer });
    const to = sinkInto(memoryRegistry());
    await copy(['app:1'], { from, to });
    await expect(copy(['app:2'], { from, to })).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  });

  it('is found also where it was there before, with force', async () => {
    const from = await holding({ 'app:1': fewer });
    const to = sinkInto(await holding({ 'app:1': fewer }));
    await copy(['app:1'], { from, to });
    await expect(copy(['app:1'], { from, to, force: true })).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  });
});

describe('a copy', () => {
  it('reads each config once, for the check and for the destination', async () => {
    const from = watchedRegistry(await holding({ 'app:1': makeIndex([whole, arm]), 'app:2': whole }));
    await copy(['app:1', 'app:2'], { from: from.registry, to: sinkInto(memoryRegistry()), platforms: 'all' });
    expect(new Set(from.asked.blobs().values())).toEqual(new Set([1]));
    const again = watchedRegistry(from.registry);
    const there = await holding({ 'app:1': makeIndex([whole, arm]) });
    await copy(['app:1'], { from: again.registry, to: sinkInto(there), platforms: 'all' });
    expect(again.asked.count('getBlob')).toBe(0);
  });

  it('warns of a config without diffIDs, and of one for another platform than its index says', async () => {
    const bare = makeImage({ layers, config: { rootfs: { type: 'layers', diff_ids: [] } } });
    const index = makeIndex([{ ...whole, platform: 'linux/arm64' }]);
    const from = await holding({ 'bare:1': bare, 'index:1': index });
    const { events } = await copy(['bare:1', 'index:1'], { from, to: sinkInto(memoryRegistry()), platforms: 'all' });
    const notes = events.flatMap((event) => (event.type === 'note' ? [event.text] : [])).toSorted();
    expect(notes).toEqual([
      'bare:1: its config has no diffIDs for 2 layers: most runtimes cannot run it',
      'index:1: its index says linux/arm64, the config of that image linux/amd64',
    ]);
  });

  it('takes artifacts, and attestations beside images, as they are', async () => {
    const json = (type: string, text: string) => makeBlob(text, type);
    const chart = json('application/vnd.cncf.helm.config.v1+json', '{"name":"x","rootfs":"none"}');
    const artifact = changed(whole, (fields) => ({ ...fields, config: chart.descriptor }));
    const statement = json('application/vnd.in-toto+json', '{}');
    const attestation = makeImage({ layers: [statement], platform: 'unknown/unknown', config: { rootfs: {} } });
    const images = {
      'chart:1': { ...artifact, blobs: [...artifact.blobs, chart] },
      'app:1': makeIndex([whole, attestation]),
    };
    const to = memoryRegistry();
    await copy(Object.keys(images), { from: await holding(images), to: sinkInto(to), platforms: 'all' });
    for (const [name, image] of Object.entries(images)) {
      const [repository, tag] = name.split(':') as [string, string];
      expect((await to.getManifest(repository, tag)).digest).toBe(image.manifest.digest);
    }
  });

  it('refuses one blob with two sizes, and an image that its index calls an index', async () => {
    const twice = changed(whole, (fields) => {
      const [first] = fields.layers as [object];
      return { ...fields, layers: [first, { ...first, size: 5 }] };
    });
    const odd = raw({ schemaVersion: 2, manifests: [{ ...manifestDescriptor(whole.manifest), mediaType: OCI_INDEX }] });
    const registry = await holding({ 'app:1': whole });
    const answers = new Map([
      [twice.manifest.digest, twice.manifest],
      [odd.digest, odd],
    ]);
    for (const [digest, manifest] of answers) {
      const getManifest: Registry['getManifest'] = async (repository, reference, call) =>
        reference === digest ? manifest : await registry.getManifest(repository, reference, call);
      const copying = copy([`app@${digest}`], { from: { ...registry, getManifest }, to: sinkInto(memoryRegistry()) });
      await expect(copying).rejects.toMatchObject({
        code: 'MANIFEST_INVALID',
        message: expect.stringMatching(/one blob has two sizes: 4 and 5 bytes|what the index calls \S+ is \S+/),
      });
    }
  });
});

describe('an index', () => {
  it('is refused where it gives a child another size, also where the destination has the child', async () => {
    const child = manifestDescriptor(whole.manifest);
    const odd = raw({ schemaVersion: 2, manifests: [{ ...child, size: child.size + 1 }] });
    const registry = await holding({ 'app:1': whole });
    const getManifest: Registry['getManifest'] = async (repository, reference, call) =>
      reference === odd.digest ? odd : await registry.getManifest(repository, reference, call);
    const to = sinkInto(await holding({ 'app:1': whole }));
    const copying = copy([`app@${odd.digest}`], { from: { ...registry, getManifest }, to, platforms: 'all' });
    await expect(copying).rejects.toMatchObject({ code: 'SIZE_INVALID' });
  });
});

describe('a platform that is asked for', () => {
  const copyFor = async (platforms: string, platformsNamed: boolean, image: MadeImage = arm) => {
    const to = sinkInto(memoryRegistry());
    const { events } = await copy(['app:1'], {
      from: await holding({ 'app:1': image }),
      to,
      platforms,
      platformsNamed,
    });
    return events.flatMap((event) => (event.type === 'note' ? [event.text] : []));
  };

  it('is an error where a single image is for another one, as where no image of an index is for it', async () => {
    for (const image of [arm, makeIndex([arm])]) {
      await expect(copyFor('linux/s390x', true, image)).rejects.toMatchObject({
        code: 'PLATFORM_UNKNOWN',
        message: expect.stringMatching(/^app:1 is not there for \[linux\/s390x\]: it (?:has|is for) linux\/arm64$/),
        hint: expect.stringContaining('--platform'),
      });
    }
  });

  it('is only noted if the image is for another of those asked for, or if nobody named one', async () => {
    expect(await copyFor('linux/arm64,linux/amd64', true)).toEqual(['app:1 is not there for linux/amd64']);
    expect(await copyFor('linux/amd64', false)).toEqual(['app:1 is for linux/arm64, not for linux/amd64']);
    expect(await copyFor('linux/arm64', true)).toEqual([]);
    expect(await copyFor('all', true)).toEqual([]);
  });

  it('suits an image that does not say what it is for', async () => {
    expect(await copyFor('linux/s390x', true, makeImage({ layers, config: { os: '', architecture: '' } }))).toEqual([]);
  });

  it('suits an image that does not say its variant', async () => {
    const variantless = makeImage({ layers, config: { os: 'linux', architecture: 'arm' } });
    for (const wanted of ['linux/arm/v6', 'linux/arm/v7']) {
      expect(await copyFor(wanted, true, variantless)).toEqual([]);
    }
  });

  it('is named if the index lists its image and the image is missing', async () => {
    const index = makeIndex([whole, arm]);
    const sparse = { ...index, children: [whole] };
    await using directory = await temporaryDirectory('sparse');
    await mkdir(join(directory.path, 'to'));
    for (const platforms of ['all', 'linux/arm64']) {
      const from = await holding({ 'app:1': sparse });
      const to = ociSink(join(directory.path, 'to'));
      const failure = await copy(['app:1'], { from, to, platforms }).catch((error: unknown) => error);
      expect(isImagesError(failure, 'MANIFEST_UNKNOWN')).toBe(true);
      expect(`${failure}`).toMatch(/app:1: its index names manifest sha256:\w+ of linux\/arm64, which is not there/);
    }
  });

  it('is named if a part of its image is missing', async () => {
    const own = makeBlob('of arm alone');
    const lost = own.descriptor.digest;
    const image = makeImage({ layers: [...layers, own], platform: 'linux/arm64' });
    const registry = await holding({ 'app:1': makeIndex([whole, image]) });
    for (const gone of [lost, image.blobs[0]?.descriptor.digest]) {
      const getBlob: Registry['getBlob'] = (repository, digest, call) =>
        registry.getBlob(repository, digest === gone ? `sha256:${'0'.repeat(64)}` : digest, call);
      const copying = copy(['app:1'], {
        from: { ...registry, getBlob },
        to: sinkInto(memoryRegistry()),
        platforms: 'all',
      });
      await expect(copying).rejects.toThrow(`${gone} of linux/arm64`);
    }
  });
});

describe('a docker-archive', () => {
  it('is not made of what has no file system', async () => {
    const chart = makeBlob('{}', 'application/vnd.cncf.helm.config.v1+json');
    const layer = makeBlob('chart', 'application/vnd.cncf.helm.chart.content.v1.tar+gzip');
    const artifact = changed(whole, (fields) => ({
      ...fields,
      config: chart.descriptor,
      layers: [layer.descriptor],
    }));
    const attestation = makeImage({ layers: [makeBlob('{}', 'application/vnd.in-toto+json')] });
    await using directory = await temporaryDirectory('check');
    for (const image of [{ ...artifact, blobs: [chart, layer] }, attestation]) {
      const source = registrySource(await holding({ 'x:1': image }), { path: 'x', tag: '1' });
      const copying = copyOne(source, testLocation('docker-archive', directory.path, 'to').sink());
      await expect(copying).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringContaining('it is no image with a file system'),
        hint: expect.stringContaining('oci:'),
      });
      expect(await readdir(directory.path)).toEqual([]);
    }
  });

  it('is not made of images for several platforms, also where their index does not say which', async () => {
    await using directory = await temporaryDirectory('check');
    const silent = makeIndex([whole, arm].map(({ platform: _, ...image }) => image));
    for (const [image, hint] of [
      [makeIndex([whole, arm]), 'linux/amd64, linux/arm64'],
      [silent, 'oci-archive:'],
    ] as const) {
      const source = registrySource(await holding({ 'x:1': image }), { path: 'x', tag: '1' });
      const location = testLocation('docker-archive', directory.path, 'to');
      const copying = copyOne(source, location.sink(), { platforms: 'linux/amd64,linux/arm64' });
      await expect(copying).rejects.toMatchObject({ code: 'UNSUPPORTED', hint: expect.stringContaining(hint) });
      expect(await readdir(directory.path)).toEqual([]);
    }
  });
});
