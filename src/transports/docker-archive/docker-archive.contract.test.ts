import { open, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageSinkContract } from '../../../test/contract/image-sink-contract.ts';
import { imageSourceContract } from '../../../test/contract/image-source-contract.ts';
import { imageContent, layoutFiles, writeFiles } from '../../../test/contract/named-content.ts';
import { must } from '../../../test/peers/process.ts';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { blobPath } from '../layout/layout-files.ts';
import { dockerArchiveSink } from './docker-archive-sink.ts';
import { openDockerArchiveImage } from './docker-archive-source.ts';

imageSourceContract(
  'a docker-archive with a layout inside',
  imageContent('docker'),
  async (content) => {
    const directory = await temporaryDirectory('docker-archive');
    const file = join(directory.path, 'image.tar');
    const [config, ...layers] = content.blobs.map(({ descriptor }) => blobPath(descriptor.digest));
    const listed = [{ Config: config, RepoTags: ['quay.io/docker/app:1.2'], Layers: layers }];
    const files = new Map([...layoutFiles(content), ['manifest.json', Buffer.from(JSON.stringify(listed))]]);
    await writeFiles(join(directory.path, 'image'), files);
    await must('tar', ['-cf', file, '-C', join(directory.path, 'image'), '.']);
    const source = await openDockerArchiveImage(file, { reference: content.name }, { temporaryDirectory: tmpdir() });
    return {
      source,
      damage: async ({ bytes }) => {
        const at = (await readFile(file)).indexOf(bytes);
        await using handle = await open(file, 'r+');
        await handle.write(Buffer.from([(bytes[0] ?? 0) ^ 1]), 0, 1, at);
      },
      async [Symbol.asyncDispose]() {
        await source[Symbol.asyncDispose]();
        await directory[Symbol.asyncDispose]();
      },
    };
  },
  { referrers: false, tags: false },
);

imageSinkContract(
  'a docker-archive',
  async () => {
    const directory = await temporaryDirectory('docker-archive');
    const path = join(directory.path, 'image.tar');
    const sink = dockerArchiveSink(path, { temporaryDirectory: tmpdir() });
    return {
      sink,
      read: async (name) => openDockerArchiveImage(path, { reference: name }, { temporaryDirectory: tmpdir() }),
      async [Symbol.asyncDispose]() {
        await sink[Symbol.asyncDispose]();
        await directory[Symbol.asyncDispose]();
      },
    };
  },
  { keepsParts: false, byImage: false, indexes: false, referrers: false, tags: false },
);
