// The contract of ImageSink, for every transport: registries, layouts, archives.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isImagesError } from '../../src/oci/errors.ts';
import { manifestDescriptor, type RawManifest } from '../../src/oci/manifest.ts';
import type { Reference } from '../../src/oci/reference.ts';
import type { ImageSink, ImageSource } from '../../src/transports/contract.ts';
import { type Blob, blobOf, breakingOpener, bytesOf, collect, opener } from './content.ts';
import { imageContent, indexContent, type NamedContent } from './named-content.ts';

/** What some transports cannot do. An absent field means `true`. */
export interface SinkAbilities {
  /** Holds several images. */
  readonly several?: boolean;
  /** Holds indexes, also sparse ones if its `wants` says so. */
  readonly indexes?: boolean;
  readonly referrers?: boolean;
  readonly tags?: boolean;
  /** Keeps the bytes of a blob whose transfer broke off, for the next attempt. */
  readonly keepsParts?: boolean;
  /** Simultaneous calls of `putBlob` for one blob are single-flight. A copy ensures that by itself. */
  readonly sharesPuts?: boolean;
  /** An image is readable as soon as it is committed, and not only after `finish`. */
  readonly byImage?: boolean;
  /** Refuses a manifest whose blobs are missing. */
  readonly checksBlobs?: boolean;
}

export interface SinkUnderTest extends AsyncDisposable {
  readonly sink: ImageSink;
  /** Opens the written image as a source, independently of the sink. */
  read(name: Reference): Promise<ImageSource & AsyncDisposable>;
}

/** `make` returns a sink to an empty location. */
export function imageSinkContract(
  name: string,
  make: () => Promise<SinkUnderTest>,
  abilities: SinkAbilities = {},
): void {
  const can = (ability: keyof SinkAbilities) => abilities[ability] ?? true;
  const image = imageContent('one');
  const [config, layer] = image.blobs as [Blob, Blob];
  let made: SinkUnderTest;
  let sink: ImageSink;

  async function put(content: NamedContent): Promise<void> {
    const descriptors = content.blobs.map(({ descriptor }) => descriptor);
    const missing = await sink.missing(content.name, descriptors);
    const lacking = content.blobs.filter(({ descriptor }) => missing.has(descriptor.digest));
    await Promise.all(lacking.map((blob) => sink.putBlob(content.name, blob.descriptor, opener(blob.bytes))));
    for (const child of content.children) await sink.putManifest(content.name, child);
    if (can('referrers')) for (const one of content.referrers) await sink.putManifest(content.name, one);
    if (can('tags')) {
      for (const { tag, manifest } of content.attached) await sink.commit({ ...content.name, tag }, manifest);
    }
    await sink.commit(content.name, content.root);
  }

  async function expectThere(content: NamedContent): Promise<void> {
    await using source = await made.read(content.name);
    expect((await source.root()).digest).toBe(content.root.digest);
    for (const child of content.children) await source.manifest(manifestDescriptor(child));
    for (const { descriptor, bytes } of content.blobs) {
      expect(Buffer.compare(await collect(await source.blob(descriptor, 0)), bytes)).toBe(0);
    }
  }

  async function expectAbsent(name: Reference): Promise<void> {
    const reading = made.read(name).then(async (source) => {
      await using opened = source;
      return await opened.root();
    });
    await expect(reading).rejects.toSatisfy((error) =>
      isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'LOCATION_INVALID', 'FILE_UNREADABLE'),
    );
  }

  describe(`${name} as a sink`, () => {
    beforeEach(async () => {
      made = await make();
      sink = made.sink;
    });
    afterEach(() => made[Symbol.asyncDispose]());

    it('takes an image, and gives it back byte for byte', async () => {
      await put(image);
      await sink.finish();
      await expectThere(image);
    });

    itIf(can('indexes'))('takes an index with all its images', async () => {
      const content = indexContent('two');
      await put(content);
      await sink.finish();
      await expectThere(can('tags') ? content : { ...content, blobs: content.blobs.slice(0, 6) });
    });

    itIf(can('indexes') && can('referrers'))('takes what points to an image', async () => {
      const content = indexContent('three');
      await put(content);
      await sink.finish();
      await using source = await made.read(content.name);
      const found = await Array.fromAsync(source.referrers(content.root.digest));
      expect(found.map(({ digest }) => digest)).toEqual(content.referrers.map(({ digest }) => digest));
    });

    itIf(can('indexes') && can('tags'))('takes other tags of the repository', async () => {
      const content = indexContent('four');
      await put(content);
      await sink.finish();
      await using source = await made.read(content.name);
      for (const { tag, manifest } of content.attached) {
        expect((await source.statTag(tag))?.digest).toBe(manifest.digest);
      }
    });

    itIf(can('indexes'))('takes an index without its images where it says that it does', async () => {
      if (sink.wants.indexes !== 'sparse') return;
      const content = indexContent('five');
      const [child] = content.children as [RawManifest];
      const parts = { ...content, children: [child], referrers: [], attached: [], blobs: content.blobs.slice(0, 3) };
      await put(parts);
      await sink.finish();
      await expectThere(parts);
    });

    itIf(can('several'))('takes several images, and keeps each', async () => {
      const others = ['six', 'seven'].map(imageContent);
      for (const content of [image, ...others]) await put(content);
      await sink.finish();
      for (const content of [image, ...others]) await expectThere(content);
    });

    itIf(can('several'))('moves a name to another image', async () => {
      const other = { ...imageContent('eight'), name: image.name };
      await put(image);
      await put(other);
      await sink.finish();
      await expectThere(other);
    });

    it('has no image before it is committed', async () => {
      for (const blob of image.blobs) await sink.putBlob(image.name, blob.descriptor, opener(blob.bytes));
      await expectAbsent(image.name);
      await sink[Symbol.asyncDispose]();
      await expectAbsent(image.name);
    });

    itIf(can('byImage'))('has an image as soon as it is committed', async () => {
      await put(image);
      await expectThere(image);
    });

    it('says which blobs it lacks', async () => {
      const descriptors = image.blobs.map(({ descriptor }) => descriptor);
      expect([...(await sink.missing(image.name, descriptors)).keys()]).toEqual(
        descriptors.map(({ digest }) => digest),
      );
      await sink.putBlob(image.name, layer.descriptor, opener(layer.bytes));
      const rest = descriptors.filter(({ digest }) => digest !== layer.descriptor.digest);
      expect([...(await sink.missing(image.name, descriptors)).keys()]).toEqual(rest.map(({ digest }) => digest));
    });

    it('says which manifests it lacks', async () => {
      const wanted = [manifestDescriptor(image.root)];
      expect(await sink.missingManifests(image.name, wanted)).toEqual(new Set([image.root.digest]));
      for (const blob of image.blobs) await sink.putBlob(image.name, blob.descriptor, opener(blob.bytes));
      await sink.putManifest(image.name, image.root);
      expect(await sink.missingManifests(image.name, wanted)).toEqual(new Set());
    });

    it('does not ask for a blob that is there', async () => {
      const asked: number[] = [];
      for (let time = 0; time < 2; time++) {
        await sink.putBlob(image.name, layer.descriptor, opener(layer.bytes, asked));
      }
      expect(asked).toEqual([0]);
    });

    itIf(can('sharesPuts'))('asks for a blob once, whoever else puts it', async () => {
      const asked: number[] = [];
      const one = () => sink.putBlob(image.name, layer.descriptor, opener(layer.bytes, asked));
      await Promise.all([one(), one(), one()]);
      expect(asked).toEqual([0]);
    });

    it('keeps no wrong bytes: the blob can be put again', async () => {
      const wrong = bytesOf('wrong', layer.bytes.length);
      const putting = sink.putBlob(image.name, layer.descriptor, opener(wrong));
      await expect(putting).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
      const longer = sink.putBlob(image.name, layer.descriptor, opener(Buffer.concat([layer.bytes, wrong])));
      await expect(longer).rejects.toMatchObject({ code: 'SIZE_INVALID' });
      expect(await sink.missing(image.name, [layer.descriptor])).toEqual(new Map([[layer.descriptor.digest, 0]]));
      await put(image);
      await sink.finish();
      await expectThere(image);
    });

    it('continues a blob that broke off', async () => {
      const broken = sink.putBlob(image.name, layer.descriptor, breakingOpener(layer.bytes, 300));
      await expect(broken).rejects.toThrow('connection reset');
      const held = can('keepsParts') ? 300 : 0;
      expect(await sink.missing(image.name, [layer.descriptor])).toEqual(new Map([[layer.descriptor.digest, held]]));
      const asked: number[] = [];
      await sink.putBlob(image.name, layer.descriptor, opener(layer.bytes, asked));
      expect(asked).toEqual([held]);
      await put(image);
      await sink.finish();
      await expectThere(image);
    });

    it('takes an empty blob', async () => {
      const empty = blobOf(Buffer.alloc(0));
      await sink.putBlob(image.name, empty.descriptor, opener(empty.bytes));
      expect(await sink.missing(image.name, [empty.descriptor])).toEqual(new Map());
    });

    itIf(can('checksBlobs'))('refuses a manifest whose blobs are not there', async () => {
      await sink.putBlob(image.name, config.descriptor, opener(config.bytes));
      const refusal = { code: 'MANIFEST_BLOB_UNKNOWN' };
      await expect(sink.commit(image.name, image.root)).rejects.toMatchObject(refusal);
      await expectAbsent(image.name);
    });

    it('makes a blob that it has available under another name', async () => {
      const other = { path: 'other/app', tag: '1' };
      await sink.putBlob(image.name, layer.descriptor, opener(layer.bytes));
      expect(await sink.mountBlob(other, layer.descriptor, image.name)).toBe(true);
      expect(await sink.missing(other, [layer.descriptor])).toEqual(new Map());
      expect(await sink.mountBlob(other, config.descriptor, image.name)).toBe(false);
    });
  });
}

/** For what a transport cannot do there is no test, not even a skipped one. */
function itIf(condition: boolean): (title: string, test: () => Promise<void>) => void {
  return condition ? it : () => {};
}
