import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { OCI_MANIFEST } from '../../oci/media-types.ts';
import { layerMemory } from './layer-memory.ts';

const digest = (text: string): Digest => digestOf(Buffer.from(text));
const ID = digest('id');
const FORM = { digest: digest('compressed'), size: 10 };
const IMAGE = { mediaType: OCI_MANIFEST, manifest: Buffer.from('{"a":1}'), config: Buffer.from('{}') };

it('the memory of compressed layers knows in a later run what a layer and an image became', async () => {
  await using scratch = await temporaryDirectory('memory');
  const memory = layerMemory(scratch.path, 'gzip');
  expect([await memory.layer(ID), await memory.image(ID)]).toEqual([undefined, undefined]);
  await memory.rememberLayer(ID, FORM);
  await memory.rememberImage(ID, IMAGE);
  const later = layerMemory(scratch.path, 'gzip');
  expect([await later.layer(ID), await later.image(ID)]).toEqual([FORM, IMAGE]);
});

it('the memory of compressed layers keeps compressions apart in the same folders', async () => {
  await using scratch = await temporaryDirectory('memory');
  const [old, current] = ['gzip-1-old', 'gzip-1-new'].map((forms) => layerMemory(scratch.path, forms));
  await old?.rememberLayer(ID, FORM);
  await old?.rememberImage(ID, IMAGE);
  expect([await current?.layer(ID), await current?.image(ID)]).toEqual([undefined, undefined]);
  await current?.rememberLayer(ID, { ...FORM, size: 9 });
  expect([await old?.layer(ID), await current?.layer(ID)]).toEqual([FORM, { ...FORM, size: 9 }]);
  expect((await readdir(scratch.path)).sort()).toEqual(['images', 'layers']);
  expect(await readdir(join(scratch.path, 'layers'))).toHaveLength(2);
});

it.each([
  ['layers', '{"digest":"sha256:', '[]', '{"digest":"sha256:0","size":1}', `{"digest":"${ID}","size":"1"}`],
  ['images', '{"mediaType":', 'null', JSON.stringify({ ...IMAGE, manifest: 'e30=', config: 'e30=', sum: 'no' })],
])('the memory of compressed layers ignores what is damaged in %s', async (kind, ...damages) => {
  await using scratch = await temporaryDirectory('memory');
  const memory = layerMemory(scratch.path, 'gzip');
  await memory.rememberLayer(ID, FORM);
  await memory.rememberImage(ID, IMAGE);
  const [name = ''] = await readdir(join(scratch.path, kind));
  for (const damage of damages) {
    await writeFile(join(scratch.path, kind, name), damage);
    expect(await (kind === 'layers' ? memory.layer(ID) : memory.image(ID))).toBeUndefined();
  }
});

it('the memory of compressed layers stays empty if it cannot be written', async () => {
  const nowhere = layerMemory('/proc/nowhere', 'gzip');
  await nowhere.rememberLayer(ID, FORM);
  expect(await nowhere.layer(ID)).toBeUndefined();
});
