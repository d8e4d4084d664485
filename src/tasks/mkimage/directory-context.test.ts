import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { walk } from '../../rootfs/tree.ts';
import { wholeSeconds } from '../../tar/time.ts';
import { type OverlayImage, overlayImage } from '../testing/overlay-image.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { openDirectoryContext } from './directory-context.ts';

const time = wholeSeconds(0);

/** The files of the context of a directory beside the image's. */
async function contextOf(world: TemporaryWorld, files: Readonly<Record<string, string>>, image?: OverlayImage) {
  for (const [name, text] of Object.entries(files)) await world.file(`context/${name}`, text);
  const directory = image ? await overlayImage(world, 'image', image) : join(world.path, 'image');
  await using opened = await openDirectoryContext(directory, join(world.path, 'context'), world.settings(), {
    spool: join(world.path, 'spool'),
    time,
    dockerfile: join(world.path, 'context/Dockerfile'),
  });
  const names: string[] = [];
  for (const { path, node } of walk((await opened.context).tree.root)) if (!node.children) names.push(path);
  return names.toSorted();
}

describe('the context of a directory', () => {
  it('is its files, and the archive of the tar script where there is one', async () => {
    await using world = await temporaryWorld();
    expect(await contextOf(world, { a: '', 'd/b': '' })).toEqual(['a', 'd/b']);
    expect(await contextOf(world, {}, {})).toEqual(['a', 'd/b', 'ovl.tar']);
  });

  it('lacks what .dockerignore leaves out; NAME.dockerignore wins', async () => {
    await using world = await temporaryWorld();
    const files = { '.dockerignore': 'a\n', a: '', b: '', Dockerfile: '' };
    expect(await contextOf(world, files)).toEqual(['.dockerignore', 'Dockerfile', 'b']);
    expect(await contextOf(world, { 'Dockerfile.dockerignore': 'b\n*ignore\n' })).toEqual(['Dockerfile', 'a']);
  });

  it('cannot be made if the script fails', async () => {
    await using world = await temporaryWorld();
    await expect(contextOf(world, { a: '' }, { script: 'exit 3' })).rejects.toMatchObject({ code: 'BUILD_FAILED' });
  });

  it('that is not a directory is reported', async () => {
    await using world = await temporaryWorld();
    const options = { spool: world.path, time, dockerfile: 'Dockerfile' };
    for (const path of [join(world.path, 'nowhere'), await world.file('file', '')]) {
      await expect(openDirectoryContext(world.path, path, world.settings(), options)).rejects.toMatchObject({
        code: 'PATH_UNKNOWN',
        message: `no such directory [${path}]`,
      });
    }
  });
});
