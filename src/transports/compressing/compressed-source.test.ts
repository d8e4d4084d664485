import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Blob, blobOf, manifestOf } from '../../../test/contract/content.ts';
import { randomBytes } from '../../../test/fixtures/random.ts';
import { tar } from '../../../test/fixtures/tar.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../../test/peers/temporary.ts';
import { tapped } from '../../io/streams/verify.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf } from '../../oci/digest.ts';
import { decodeManifest, type ImageManifest, type RawManifest } from '../../oci/manifest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../oci/media-types.ts';
import type { ImageSource } from '../contract.ts';
import { skipped } from '../skipped.ts';
import { compressedSource } from './compressed-source.ts';
import { layerMemory } from './layer-memory.ts';
import { layerSpool } from './layer-spool.ts';

interface MadeSource {
  readonly source: ImageSource;
  /** The blobs that were opened, in order. */
  readonly opened: string[];
  readonly blobs: readonly Blob[];
}

const plain = (name: string, size = 100_000) =>
  blobOf(
    Buffer.from(
      tar([
        { name, data: randomBytes(name, size) },
        { name: `${name}.txt`, data: 'x'.repeat(size) },
      ]),
    ),
    OCI_LAYER,
  );

function sourceOf(layers: readonly Blob[], diffIds = layers.map(({ descriptor }) => descriptor.digest)): MadeSource {
  const rootfs = { type: 'layers', diff_ids: diffIds };
  const config = blobOf(Buffer.from(JSON.stringify({ rootfs })), OCI_CONFIG);
  const root = manifestOf({
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  const blobs = [config, ...layers];
  const opened: string[] = [];
  const source: ImageSource = {
    label: 'made',
    host: 'made',
    root: async () => root,
    manifest: async () => root,
    async blob({ digest }, from) {
      const found = blobs.find(({ descriptor }) => descriptor.digest === digest);
      if (!found) throw new Error(`no ${digest}`);
      if (found !== config) opened.push(digest);
      return skipped(inPieces(found.bytes), from);
    },
    async *referrers() {},
    statTag: async () => undefined,
    async [Symbol.asyncDispose]() {},
  };
  return { source, opened, blobs };
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}

function imageOf(raw: RawManifest): ImageManifest {
  const manifest = decodeManifest(raw);
  if (manifest.kind !== 'image') throw new Error('no image');
  return manifest;
}

async function read(source: ImageSource, blob: Descriptor, from = 0): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(await source.blob(blob, from)));
}

describe('an image whose layers are compressed for a sink that serves its blobs', () => {
  let scratch: TemporaryDirectory;
  beforeEach(async () => {
    scratch = await temporaryDirectory('compressed');
  });
  afterEach(() => scratch[Symbol.asyncDispose]());

  it('has the same content under other digests, from any byte on', async () => {
    await using spool = layerSpool({ directory: scratch.path, kind: 'gzip' });
    const { source, blobs } = sourceOf([plain('a'), plain('b', 10), plain('c', 3_000_000)]);
    const image = compressedSource(source, spool);
    const { config, layers } = imageOf(await image.root());
    expect(config).toEqual(imageOf(await source.root()).config);
    expect(await read(image, config)).toEqual(blobs[0]?.bytes);
    for (const [at, layer] of layers.entries()) {
      const bytes = await read(image, layer);
      expect(layer).toEqual({ mediaType: OCI_LAYER_GZIP, size: bytes.length, digest: digestOf(bytes) });
      expect(gunzipSync(bytes).equals(blobs[at + 1]?.bytes ?? Buffer.alloc(0))).toBe(true);
      expect((await read(image, layer, 37)).equals(bytes.subarray(37))).toBe(true);
    }
    // The spool's files have no names.
    expect(await readdir(scratch.path)).toEqual([]);
  });

  it('is made of each layer once, whichever images of the run have it, and however often it is asked for', async () => {
    await using spool = layerSpool({ directory: scratch.path, kind: 'gzip' });
    const [base, top, other] = [plain('base'), plain('top'), plain('other')];
    const [one, two] = [sourceOf([base, top, base]), sourceOf([base, other])];
    const images = [compressedSource(one.source, spool), compressedSource(two.source, spool)];
    const roots = await Promise.all(images.map((image) => image.root()));
    for (const [at, image] of images.entries()) {
      const { layers } = imageOf(roots[at] as RawManifest);
      await Promise.all(layers.map((layer) => read(image, layer)));
    }
    expect([...one.opened, ...two.opened].sort()).toEqual(
      [base, top, other].map(({ descriptor }) => descriptor.digest).sort(),
    );
  });

  it('is the same image in every run', async () => {
    const digests = new Set<string>();
    for (const kind of ['gzip', 'gzip', 'zstd', 'zstd'] as const) {
      await using spool = layerSpool({ directory: scratch.path, kind });
      digests.add((await compressedSource(sourceOf([plain('a', 2_500_000)]).source, spool).root()).digest);
    }
    expect(digests.size).toBe(2);
  });

  it('can be aborted in the middle of a layer, and is made when it is asked for again', async () => {
    const made = sourceOf([plain('a', 3_000_000)]);
    const aborter = new AbortController();
    let read = 0;
    const watched: ImageSource = {
      ...made.source,
      blob: async (layer, from) =>
        tapped(await made.source.blob(layer, from), ({ length }) => {
          read += length;
          if (read > 100_000) aborter.abort(new Error('that is enough'));
        }),
    };
    await using spool = layerSpool({ directory: scratch.path, kind: 'gzip' });
    const image = compressedSource(watched, spool);
    await expect(image.root({ signal: aborter.signal })).rejects.toThrow('that is enough');
    expect(read).toBeLessThan(200_000);
    expect(imageOf(await image.root()).layers).toHaveLength(1);
  });

  it('leaves compressed layers alone, and blobs that are not layers', async () => {
    await using spool = layerSpool({ directory: scratch.path, kind: 'gzip' });
    const layers = [blobOf(Buffer.from('packed'), OCI_LAYER_GZIP), blobOf(Buffer.from('chart'), 'application/x.chart')];
    const { source } = sourceOf(layers);
    const image = compressedSource(source, spool);
    expect(await image.root()).toEqual(await source.root());
    expect((await read(image, (layers[0] as Blob).descriptor)).toString()).toBe('packed');
  });

  it('is not made if the config has other layers', async () => {
    await using spool = layerSpool({ directory: scratch.path, kind: 'gzip' });
    const layers = [plain('a'), plain('b')];
    const { source, opened } = sourceOf(
      layers,
      layers.slice(1).map(({ descriptor }) => descriptor.digest),
    );
    await expect(compressedSource(source, spool).root()).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    expect(opened).toEqual([]);
  });

  it('is known from an earlier run without reading a layer; layers can still be read', async () => {
    const memory = layerMemory(join(scratch.path, 'cache'), 'gzip');
    const roots: RawManifest[] = [];
    for (const run of [1, 2]) {
      await using spool = layerSpool({ directory: scratch.path, kind: 'gzip', memory });
      const { source, opened } = sourceOf([plain('a'), plain('b')]);
      const image = compressedSource(source, spool);
      roots.push(await image.root());
      expect(opened).toHaveLength(run === 1 ? 2 : 0);
      const [layer] = imageOf(await image.root()).layers;
      if (!layer) throw new Error('no layer');
      expect(digestOf(await read(image, layer))).toBe(layer.digest);
      expect(opened).toHaveLength(run === 1 ? 2 : 1);
    }
    expect(roots[0]).toEqual(roots[1]);
  });

  it('fails if what was remembered of it was wrong, and is right the next time', async () => {
    const memory = layerMemory(join(scratch.path, 'cache'), 'gzip');
    const made = plain('a');
    const wrong = { digest: digestOf(Buffer.from('wrong')), size: 5 };
    await memory.rememberLayer(made.descriptor.digest, wrong);
    await using spool = layerSpool({ directory: scratch.path, kind: 'gzip', memory });
    const image = compressedSource(sourceOf([made]).source, spool);
    const [layer] = imageOf(await image.root()).layers;
    if (!layer) throw new Error('no layer');
    expect(layer).toMatchObject(wrong);
    await expect(read(image, layer)).rejects.toMatchObject({ code: 'DIGEST_INVALID', hint: 'Run it again.' });
    expect(await memory.layer(made.descriptor.digest)).not.toEqual(wrong);
  });

  it('fails if its source fails, and can be asked for again', async () => {
    await using spool = layerSpool({ directory: scratch.path, kind: 'gzip' });
    const { source } = sourceOf([plain('a')]);
    let broken = true;
    const flaky: ImageSource = {
      ...source,
      async blob(blob, from) {
        if (!broken) return await source.blob(blob, from);
        broken = false;
        throw new Error('not now');
      },
    };
    const image = compressedSource(flaky, spool);
    await expect(image.root()).rejects.toThrow('not now');
    expect(imageOf(await image.root()).layers).toHaveLength(1);
  });
});
