import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageSinkContract } from '../../../test/contract/image-sink-contract.ts';
import { imageSourceContract } from '../../../test/contract/image-source-contract.ts';
import { dirFiles, indexContent, writeFiles } from '../../../test/contract/named-content.ts';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { digestHex } from '../../oci/digest.ts';
import { dirSink } from './dir-sink.ts';
import { dirSource } from './dir-source.ts';

imageSourceContract(
  'a dir: directory',
  indexContent('dir'),
  async (content) => {
    const directory = await temporaryDirectory('dir');
    await writeFiles(directory.path, dirFiles(content));
    return {
      source: dirSource(directory.path),
      damage: async ({ descriptor }) => {
        const file = join(directory.path, digestHex(descriptor.digest));
        const bytes = await readFile(file);
        bytes[0] = (bytes[0] ?? 0) ^ 1;
        await writeFile(file, bytes);
      },
      [Symbol.asyncDispose]: directory[Symbol.asyncDispose],
    };
  },
  { tags: false },
);

imageSinkContract(
  'a dir: directory',
  async () => {
    const directory = await temporaryDirectory('dir');
    const path = join(directory.path, 'deep/dir');
    return {
      sink: dirSink(path),
      read: async () => dirSource(path),
      [Symbol.asyncDispose]: directory[Symbol.asyncDispose],
    };
  },
  { several: false, tags: false },
);
