// A layer of a store that does not match its digest: every complete read fails and returns no wrong bytes, and the store then knows that it is damaged.
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { blobOf, manifestOf, pushImage } from '../../test/contract/content.ts';
import { tar } from '../../test/fixtures/tar.ts';
import { quickDirectory } from '../../test/peers/temporary.ts';
import { pipeOutput } from '../io/files/rewindable-output.ts';
import { digestHex, digestOf } from '../oci/digest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, OCI_MANIFEST } from '../oci/media-types.ts';
import { applyLayers } from '../rootfs/apply-layers.ts';
import type { Layer, LayerIndex } from '../rootfs/contract.ts';
import { exportTree } from '../rootfs/export-tree.ts';
import { joinLayers } from '../rootfs/layer-archive.ts';
import { indexLayers } from '../rootfs/layer-index.ts';
import { storedIndex } from '../storage/builds/layer-indexes.ts';
import { openEmbeddedStore } from '../storage/embedded-store.ts';
import { blobKey } from '../storage/layout/registry-keys.ts';
import { writeStore } from './containers-storage/write-store.ts';
import { type ReadableImage, readImage } from './readable-image.ts';
import { registrySource } from './registry-source.ts';

/** Bytes that no compression makes smaller. */
const NOISE = Buffer.concat(
  Array.from({ length: 3000 }, (_, at) => Buffer.from(digestHex(digestOf(Buffer.from(`${at}`))), 'hex')),
);
const ARCHIVE = Buffer.from(
  tar([
    { name: 'text', data: 'some text\n'.repeat(3000) },
    { name: 'noise', data: NOISE },
  ]),
);
const FORMS = {
  'packed with gzip': { mediaType: OCI_LAYER_GZIP, bytes: gzipSync(ARCHIVE) },
  'packed with zstd': { mediaType: OCI_LAYER_ZSTD, bytes: zstdCompressSync(ARCHIVE) },
  'not packed': { mediaType: OCI_LAYER, bytes: ARCHIVE },
} as const;

/** An image of one layer in a new store. */
async function storedImage(form: keyof typeof FORMS) {
  const directory = await quickDirectory('damaged');
  onTestFinished(() => directory[Symbol.asyncDispose]());
  const { registry, objects } = await openEmbeddedStore(directory.path);
  const { mediaType, bytes } = FORMS[form];
  const layer = blobOf(bytes, mediaType);
  const config = blobOf(
    Buffer.from(
      JSON.stringify({
        os: 'linux',
        architecture: 'amd64',
        rootfs: { type: 'layers', diff_ids: [digestOf(ARCHIVE)] },
      }),
    ),
    OCI_CONFIG,
  );
  const fields = { mediaType: OCI_MANIFEST, config: config.descriptor, layers: [layer.descriptor] };
  await pushImage(registry, 'app', { config, layers: [layer], manifest: manifestOf(fields) }, ['1']);
  const { digest } = layer.descriptor;
  const read = (): Promise<ReadableImage> =>
    readImage(registrySource(registry, { path: 'app', tag: '1' }, { stored: true }), {
      machine: { os: 'linux', architecture: 'amd64' },
      indexOf: (of) => storedIndex(objects, of),
    });
  return {
    read,
    path: join(directory.path, blobKey(digest)),
    isThere: async () => (await registry.statBlob('app', digest)) !== undefined,
    isKnownWhole: async () => (await registry.statManifest('app', '1', { whole: true })) !== undefined,
  };
}

const DAMAGES: Readonly<Record<string, (path: string) => Promise<void>>> = {
  'a bit of it': async (path) => {
    const bytes = await readFile(path);
    const at = bytes.length - 3000;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
  },
  'its end': (path) => truncate(path, 50_000),
  'all of it': async (path) => writeFile(path, Buffer.alloc((await readFile(path)).length)),
};

async function drain(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of chunks);
}

const exported = async (layers: readonly Layer[]) => drain(exportTree(applyLayers(await indexLayers(layers)), layers));

const joined = async (layers: readonly Layer[]) => {
  const indexes = await indexLayers(layers);
  await drain(joinLayers(layers.map((layer, at) => ({ layer, index: indexes[at] as LayerIndex }))));
};

const READERS: Readonly<Record<string, (image: ReadableImage) => Promise<unknown>>> = {
  'a listing': ({ layers }) => indexLayers(layers),
  'an export': ({ layers }) => exported(layers),
  'its layers as one archive': ({ layers }) => joined(layers),
  'a pre-pulled store': async (image) => {
    const output = pipeOutput(async () => {}, tmpdir());
    await writeStore([{ names: ['docker.io/library/app:1'], image }], output, {
      graphRoot: 'store',
      temporaryDirectory: tmpdir(),
    });
  },
};

describe.each(Object.keys(FORMS) as (keyof typeof FORMS)[])('a stored layer %s', (form) => {
  describe.each(Object.entries(DAMAGES))('with %s wrong', (_damage, damage) => {
    it.each(Object.entries(READERS))('is detected by %s', async (_reader, reads) => {
      const { read, path, isThere, isKnownWhole } = await storedImage(form);
      const image = await read();
      await damage(path);
      await expect(reads(image)).rejects.toMatchObject({ code: expect.stringMatching(/^(?:DIGEST|SIZE)_INVALID$/) });
      expect(await isThere()).toBe(false);
      expect(await isKnownWhole()).toBe(false);
    });

    it.each([
      ['an export', exported],
      ['its layers as one archive', joined],
    ])('is detected by %s, even if its listing is remembered', async (_reader, reads) => {
      const { read, path, isThere } = await storedImage(form);
      await indexLayers((await read()).layers);
      await damage(path);
      const { layers } = await read();
      await expect(reads(layers)).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:DIGEST|SIZE)_INVALID$/),
      });
      expect(await isThere()).toBe(false);
    });
  });

  it('that was already made with other bytes is not called damaged', async () => {
    const { read, isThere } = await storedImage(form);
    await Promise.all(Object.values(READERS).map(async (reads) => reads(await read())));
    expect(await isThere()).toBe(true);
  });
});
