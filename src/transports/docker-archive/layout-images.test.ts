import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { imageContent } from '../../../test/contract/placed-content.ts';
import { tar } from '../../../test/fixtures/tar.ts';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { digestHex } from '../../oci/digest.ts';
import { manifestDescriptor, rawManifest } from '../../oci/manifest.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import { openDockerArchive } from './docker-archive-source.ts';

it('an archive whose indexes name each other again and again is looked at once', async () => {
  const { root, blobs } = imageContent('nested');
  const manifests = [root];
  for (let level = 0; level < 60; level++) {
    const child = manifestDescriptor(manifests.at(-1) ?? root);
    const fields = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [child, child] };
    manifests.push(rawManifest(Buffer.from(JSON.stringify(fields))));
  }
  const parts = [...manifests, ...blobs.map(({ descriptor, bytes }) => ({ ...descriptor, bytes }))];
  const index = { schemaVersion: 2, manifests: [manifestDescriptor(manifests.at(-1) ?? root)] };
  const files = [
    ...parts.map(({ digest, bytes }) => ({ name: `blobs/sha256/${digestHex(digest)}`, data: Buffer.from(bytes) })),
    { name: 'oci-layout', data: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', data: JSON.stringify(index) },
  ];
  await using directory = await temporaryDirectory('nested');
  const path = join(directory.path, 'archive.tar');
  await writeFile(path, tar(files));
  await using archive = await openDockerArchive(path, { temporaryDirectory: tmpdir() });
  expect(archive.images).toHaveLength(1);
});
