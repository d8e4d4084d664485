import { expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { OCI_LAYER_GZIP } from '../../oci/media-types.ts';
import { buildSteps } from '../../storage/builds/build-steps.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { type RememberedBase, rememberedBases } from './remembered-bases.ts';

const digest = (text: string) => digestOf(Buffer.from(text));
const amd64 = { os: 'linux', architecture: 'amd64' };
const base: RememberedBase = {
  digest: digest('manifest'),
  config: Buffer.from('{"os":"linux"}'),
  layers: [
    { descriptor: { mediaType: OCI_LAYER_GZIP, digest: digest('layer'), size: 5 }, diffId: digest('tar') },
    { descriptor: { mediaType: OCI_LAYER_GZIP, digest: digest('other'), size: 6 } },
  ],
};

it('remembered base images are found by name and platform', async () => {
  const bases = rememberedBases(buildSteps(memoryStore().objects));
  await bases.keep('docker.io/library/alpine:3', amd64, base);
  expect(await bases.find('docker.io/library/alpine:3', amd64)).toEqual(base);
  expect(await bases.find('docker.io/library/alpine:3', { ...amd64, architecture: 'arm64' })).toBeUndefined();
  expect(await bases.find('docker.io/library/alpine:4', amd64)).toBeUndefined();
});

it('remembered base images count as absent if their record is broken', async () => {
  const kept = new Map<string, Uint8Array>();
  const bases = rememberedBases({
    get: async (key) => kept.get(key),
    put: async (key, value) => void kept.set(key, value),
  });
  await bases.keep('a', amd64, base);
  const [[key, bytes] = ['', new Uint8Array()]] = kept;
  const text = Buffer.from(bytes).toString();
  const broken = [
    '',
    '{',
    '[]',
    text.replace('"config":"', '"config":"AA'),
    text.replaceAll(base.digest, 'sha256:none'),
    text.replace('"size":5', '"size":-5'),
    text.replace(`"diffId":"${digest('tar')}"`, '"diffId":7'),
  ];
  for (const each of broken) {
    expect(each).not.toBe(text);
    kept.set(key, Buffer.from(each));
    expect(await bases.find('a', amd64)).toBeUndefined();
  }
});
