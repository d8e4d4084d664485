import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { overlayNames } from './overlay-names.ts';

it('names of overlays are those of all directories of the path, each once, without files', async () => {
  await using world = await temporaryWorld();
  const [first, second] = [join(world.path, 'first'), join(world.path, 'second')];
  for (const name of ['first/web', 'first/db', 'second/web']) await mkdir(join(world.path, name), { recursive: true });
  await writeFile(join(first, 'README'), '');
  await symlink('../first/db', join(second, 'linked'));
  const names = await overlayNames(world.settings({ XCLUSTER_OVLPATH: `${first}::${world.path}/none:${second}` }));
  expect(names).toEqual(['db', 'linked', 'web']);
});

it('names of overlays are an empty list without a path', async () => {
  await using world = await temporaryWorld();
  expect(await overlayNames(world.settings())).toEqual([]);
});
