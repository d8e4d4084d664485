import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nestedLayout } from '../../../test/contract/named-content.ts';
import { tar } from '../../../test/fixtures/tar.ts';
import { temporaryDirectory } from '../../../test/peers/temporary.ts';
import { openDockerArchive } from './docker-archive-source.ts';

it('indexes of an archive that name each other many times are read once', async () => {
  await using directory = await temporaryDirectory('nested');
  const path = join(directory.path, 'archive.tar');
  await writeFile(path, tar(nestedLayout(60)));
  await using archive = await openDockerArchive(path, { temporaryDirectory: tmpdir() });
  expect(archive.images).toHaveLength(1);
});
