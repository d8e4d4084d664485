import { expect, it } from 'vitest';
import { BASE, LOOKED, TOP } from '../../../test/e2e/testing/looked.ts';
import { attestation, buildIndex } from '../../../test/fixtures/image.ts';
import { laidOut } from '../testing/laid-out-image.ts';
import { openImage } from '../transfer/tree-source.ts';
import { describeImage } from './describe-image.ts';

it('an image is described by its manifest, its layers with their instructions, and its config', async () => {
  await using layout = await laidOut({ app: LOOKED });
  await using image = await openImage({ image: layout.named('app') }, layout.settings);
  const described = describeImage(image);
  expect(described).toMatchObject({
    digest: LOOKED.manifest.digest,
    manifest: { digest: LOOKED.manifest.digest, annotations: {} },
    platform: 'linux/amd64',
    size: BASE.bytes.length + TOP.bytes.length,
    layers: [
      { digest: BASE.digest, diffId: BASE.diffId, instruction: 'ADD file:0123 in /' },
      { digest: TOP.digest, diffId: TOP.diffId, instruction: 'RUN adduser x' },
    ],
    config: { architecture: 'amd64', os: 'linux' },
  });
  expect(described.platforms).toBeUndefined();
});

it('an index is described by its platforms, without what is no image', async () => {
  const index = buildIndex([LOOKED, attestation('x')]);
  await using layout = await laidOut({ app: index });
  await using image = await openImage({ image: layout.named('app') }, layout.settings);
  expect(describeImage(image)).toMatchObject({
    digest: index.manifest.digest,
    platforms: ['linux/amd64'],
    manifest: { digest: LOOKED.manifest.digest },
  });
});
