import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageSinkContract } from '../../../test/contract/image-sink-contract.ts';
import { imageSourceContract } from '../../../test/contract/image-source-contract.ts';
import { indexContent, layoutFiles, writeFiles } from '../../../test/contract/named-content.ts';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { formatReference } from '../../oci/reference.ts';
import { blobPath } from './layout-files.ts';
import { ociSink } from './layout-sink.ts';
import { ociSource } from './layout-source.ts';

imageSourceContract('an OCI layout', indexContent('layout'), async (content) => {
  const directory = await temporaryDirectory('layout');
  await writeFiles(directory.path, layoutFiles(content));
  return {
    source: ociSource({ path: directory.path, ref: '1.2' }),
    damage: async ({ descriptor }) => {
      const file = join(directory.path, blobPath(descriptor.digest));
      const bytes = await readFile(file);
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      await writeFile(file, bytes);
    },
    [Symbol.asyncDispose]: directory[Symbol.asyncDispose],
  };
});

imageSinkContract('an OCI layout', async () => {
  const directory = await temporaryDirectory('layout');
  const path = join(directory.path, 'deep/layout');
  return {
    sink: ociSink(path),
    read: async (name) => ociSource({ path, ref: formatReference(name) }),
    [Symbol.asyncDispose]: directory[Symbol.asyncDispose],
  };
});
