import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import { oneChunk } from '../../io/streams/one-chunk.ts';
import type { Warning } from '../../scan/contract.ts';
import { madeArchives } from '../testing/made-archives.ts';
import { makeImages } from './make-images.ts';
import { listPrepulled } from './read-prepulled.ts';

const layer = layerOf([{ name: 'file', data: 'text' }]);
const image = buildImage({ layers: [layer] });
const IMAGES = { 'quay.io/a:1': image };

it('what the items name is in a tar in xcluster’s directory, if nothing else is said', async () => {
  await using layout = await madeArchives(IMAGES);
  await mkdir(layout.at('xc'));
  const env = { ...layout.settings.env, XCLUSTER_TMP: layout.at('xc') };
  const items = [`oci:${layout.at('layout')}:quay.io/a:1`];
  const made = await makeImages({ items, imagesOf: [] }, { ...layout.settings, env });
  expect(made).toMatchObject({ format: 'tar', path: layout.at('xc/images.tar'), dryRun: false, layers: 1, taken: 0 });
  expect(await listPrepulled(layout.at('xc/images.tar'), layout.settings)).toMatchObject([{ names: ['quay.io/a:1'] }]);
});

it('the form and the file are those that are named; - is sent', async () => {
  await using layout = await madeArchives(IMAGES);
  const items = [`oci:${layout.at('layout')}:quay.io/a:1`];
  const format = 'oci-archive';
  const made = await makeImages({ items, imagesOf: [] }, layout.settings, { format, path: layout.at('out') });
  expect(made).toMatchObject({ format, path: layout.at('out') });
  const sent: Uint8Array[] = [];
  const send = async (bytes: Uint8Array) => void sent.push(Buffer.from(bytes));
  await makeImages({ items, imagesOf: [] }, layout.settings, { format, path: '-', send });
  expect(Buffer.concat(sent).equals(await layout.bytes('out'))).toBe(true);
});

it('a dry run needs no file, and writes none', async () => {
  await using layout = await madeArchives(IMAGES);
  const items = [`oci:${layout.at('layout')}:quay.io/a:1`];
  const made = await makeImages({ items, imagesOf: [] }, layout.settings, { dryRun: true, path: layout.at('out') });
  expect(made).toEqual({
    dryRun: true,
    format: 'tar',
    images: [{ names: ['quay.io/a:1'], digest: image.manifest.digest }],
    layers: 1,
    taken: 0,
    bytes: layer.bytes.length,
  });
  expect(existsSync(layout.at('out'))).toBe(false);
});

it.each([
  ['without a file, if the environment names no directory', {}],
  ['to -, if nothing takes it', { path: '-' }],
])('nothing is made %s', async (_, options) => {
  await using layout = await madeArchives(IMAGES);
  const items = [`oci:${layout.at('layout')}:quay.io/a:1`];
  const made = makeImages({ items, imagesOf: [] }, layout.settings, options);
  await expect(made).rejects.toMatchObject({ code: 'USAGE' });
});

it('what cannot be read in the input is told', async () => {
  await using layout = await madeArchives(IMAGES);
  const input = oneChunk(Buffer.from('kind: Pod\nspec: [\n'));
  const warnings: Warning[] = [];
  const request = { items: [`oci:${layout.at('layout')}:quay.io/a:1`, '-'], imagesOf: [], input };
  const onWarning = (warning: Warning) => warnings.push(warning);
  const made = await makeImages(request, layout.settings, { path: layout.at('out'), onWarning });
  expect(made.images).toHaveLength(1);
  expect(warnings).toHaveLength(1);
});
