import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { imageContent } from '../../test/contract/placed-content.ts';
import { temporaryDirectory } from '../../test/peers/temporary.ts';
import { digestHex } from '../oci/digest.ts';
import { manifestDescriptor, rawManifest } from '../oci/manifest.ts';
import { OCI_INDEX } from '../oci/media-types.ts';
import { ociSource } from '../transports/layout/layout-source.ts';
import { checkSource } from './check-image.ts';
import type { Settings } from './settings.ts';

it('what indexes name again and again is checked once', async () => {
  const { root, blobs } = imageContent('nested');
  const manifests = [root];
  for (let level = 0; level < 60; level++) {
    const child = manifestDescriptor(manifests.at(-1) ?? root);
    const fields = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [child, child] };
    manifests.push(rawManifest(Buffer.from(JSON.stringify(fields))));
  }
  await using directory = await temporaryDirectory('nested');
  await mkdir(join(directory.path, 'blobs/sha256'), { recursive: true });
  const parts = [...manifests, ...blobs.map(({ descriptor, bytes }) => ({ ...descriptor, bytes }))];
  for (const { digest, bytes } of parts)
    await writeFile(join(directory.path, 'blobs/sha256', digestHex(digest)), bytes);
  const index = { schemaVersion: 2, manifests: [manifestDescriptor(manifests.at(-1) ?? root)] };
  await writeFile(join(directory.path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(directory.path, 'index.json'), JSON.stringify(index));
  await using source = ociSource({ path: directory.path });
  const checked = await checkSource({ source }, {} as Settings);
  expect(checked.filter(({ what }) => what === 'index')).toHaveLength(60);
  expect(checked.filter(({ what }) => what === 'manifest')).toHaveLength(1);
});
