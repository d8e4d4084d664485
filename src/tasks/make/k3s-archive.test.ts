import { readFile } from 'node:fs/promises';
import { zstdDecompressSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { buildImage, buildIndex, layerOf } from '../../../test/fixtures/image.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import type { Digest } from '../../oci/digest.ts';
import { readTar } from '../../tar/reader.ts';
import { madeArchives } from '../testing/made-archives.ts';
import { k3sArchive } from './k3s-archive.ts';
import { openImages } from './prepulled-store.ts';

const amd = buildImage({ architecture: 'amd64', layers: [layerOf([{ name: 'a', data: 'a' }])] });
const index = buildIndex([amd, buildImage({ architecture: 'arm64', layers: [layerOf([{ name: 'a' }])] })]);

it('an archive for k3s has the names of images that were named by digest, too', async () => {
  await using made = await madeArchives({ 'quay.io/a:1': index });
  const digest = index.manifest.digest as Digest;
  const items = await made.items('quay.io/a:1');
  const named = items.map((item) => ({ ...item, name: { host: 'quay.io', path: 'a', digest } }));
  const platform = { os: 'linux', architecture: 'amd64' };
  await using opened = await openImages(named, made.settings, { platform });
  const target = { path: made.at('out'), send: async () => {} };
  expect(await k3sArchive(opened.images, target, made.settings, { platform })).toEqual([amd.manifest.digest]);
  const files = new Map<string, string>();
  for await (const { name, body } of readTar(oneChunk(zstdDecompressSync(await readFile(made.at('out')))))) {
    files.set(name, Buffer.concat(await Array.fromAsync(body)).toString());
  }
  const [entry] = JSON.parse(files.get('index.json') ?? '').manifests;
  // What containerd calls it, and what it finds under that name.
  expect(entry.annotations['io.containerd.image.name']).toBe(`quay.io/a@${digest}`);
  expect(entry.digest).toBe(amd.manifest.digest);
});
