import { expect, it } from 'vitest';
import { LOOKED } from '../../../test/e2e/testing/looked.ts';
import { laidOut } from '../testing/laid-out-image.ts';
import { openImage } from '../transfer/tree-source.ts';
import { readImageFile } from './read-file.ts';

it('a file is read as the last layer has it, through links that stay in the image', async () => {
  await using layout = await laidOut({ app: LOOKED });
  await using image = await openImage({ image: layout.named('app') }, layout.settings);
  const textOf = async (path: string) => {
    return Buffer.concat(await Array.fromAsync(await readImageFile(image, path))).toString();
  };
  expect(await textOf('/etc/passwd')).toBe('changed\n');
  expect(await textOf('etc/link')).toBe('changed\n');
  expect(await textOf('bin/tool')).toBe('tool');
});

it.each(['etc/gone', 'never', 'etc', '/'])('%s is no file: PATH_UNKNOWN', async (path) => {
  await using layout = await laidOut({ app: LOOKED });
  await using image = await openImage({ image: layout.named('app') }, layout.settings);
  await expect(readImageFile(image, path)).rejects.toMatchObject({ code: 'PATH_UNKNOWN' });
});
